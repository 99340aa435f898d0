/// `docs/configuration.md`, made from the schema so that it cannot fall behind.
public enum ConfigurationDocumentation {
    /// The whole page.
    public static var markdown: String {
        var page = """
            # Configuration

            This page is made from the table of settings; `aibox config docs` prints it.

            aibox reads its settings from five layers. A higher one wins over those below it:

            1. the defaults in the table below,
            2. `/etc/aibox/config.yaml`, the machine's,
            3. `~/.config/aibox/config.yaml` (`$XDG_CONFIG_HOME/aibox/config.yaml`), yours; `--config FILE` takes its place,
            4. environment variables `AIBOX_*`,
            5. flags of the command.

            The organisation's policy can pin a key. A pinned key cannot be loosened by any layer: the command stops with
            exit status 2 and names the place.

            Files are read strictly. An unknown key, a value of the wrong type or out of range, a key given twice, an anchor,
            alias or tag, a file that cannot be read: each is an error with file, line and column, and where there is one the
            nearest key that exists. Nothing is ignored. `aibox config validate` shows all errors at once.

            | command | what it does |
            |---|---|
            | `aibox config list --origin` | every setting with its value and the layer it comes from |
            | `aibox config get KEY` | the value in effect |
            | `aibox config set KEY VALUE` | checks the value, the whole result and the pins of the policy, then changes that one value; comments, order and layout of the file stay |
            | `aibox config validate [FILE]` | all errors of a file, or of all layers together |
            | `aibox config init --template minimal\\|dev\\|enterprise` | writes a file to begin with; `--force` replaces one and keeps a backup |
            | `aibox config migrate` | brings a file of the first aibox to this layout and says what it changed; `--dry-run` only says |

            ## Settings

            Sizes are whole numbers with an optional unit `k`, `m`, `g` or `t` in steps of 1024: `512m`, `8g`, `2GiB`. In
            variables and on the command line, lists are separated by commas.

            | key | values | default | meaning |
            |---|---|---|---|

            """
        for key in ConfigurationSchema.keys {
            page += "| `\(key.name)` | \(cell(key.values)) | \(defaultCell(key)) | \(cell(key.documentation)) |\n"
        }
        page += """

            ## Variables

            Each setting has one variable, whose value is checked as strictly as the file's. A variable that looks like a setting
            and is none is an error.

            | variable | key |
            |---|---|

            """
        for key in ConfigurationSchema.keys where key.isOverridable {
            page += "| `\(key.variable)` | `\(key.name)` |\n"
        }
        return page
    }

    private static func defaultCell(_ key: ConfigurationKey) -> String {
        let text = key.value(in: Configuration()).description
        return text.isEmpty ? "empty" : "`\(text)`"
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("*", with: "\\*") }
}
