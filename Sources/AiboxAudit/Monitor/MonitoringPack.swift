public import AiboxSystem

/// Everything that other programs need to watch aibox, made from the same definitions as the events.
public enum MonitoringPack {
    /// Names below a folder, with their content.
    ///
    /// - Parameter stateFolder: where aibox keeps its state on the machines that are watched.
    public static func files(stateFolder: String) -> [(name: String, text: String)] {
        [
            ("README.md", readme), ("falco/aibox_rules.yaml", FalcoRules.text),
            ("vector/vector.yaml", VectorPipeline.text(stateFolder: stateFolder)),
            ("prometheus/aibox-alerts.yml", AlertRules.text), ("prometheus/aibox-scrape.yml", scrape),
        ] + SigmaRules.files + GrafanaDashboards.files
    }

    /// Writes the files; those that are there are replaced.
    public static func write(to folder: String, stateFolder: String) throws(AiboxError) -> [String] {
        var names: [String] = []
        for (name, text) in files(stateFolder: stateFolder) {
            try Folder.make(Path.parent(folder + "/" + name))
            try File.replace(folder + "/" + name, with: text, mode: 0o644)
            names.append(name)
        }
        return names
    }

    private static let scrape = """
        scrape_configs:
          - job_name: aibox
            scrape_interval: 30s
            file_sd_configs:
              - files: [aibox-targets.json]
                refresh_interval: 30s

        """

    private static var readme: String {
        """
        # Watching aibox

        | file | for | how |
        |---|---|---|
        | `falco/aibox_rules.yaml` | Falco | beside its own in `rules_files`; sees sandboxes under crun, not under gVisor |
        | `vector/vector.yaml` | Vector | `vector --config vector.yaml`; choose the sinks |
        | `sigma/*.yml` | any SIEM | `sigma convert -t splunk --without-pipeline sigma/`; fields are those of `docs/audit-events.md` |
        | `sigma-correlations/*.yml` | SIEMs that count (Splunk, ES\\|QL) | instead of the rule of the same name, which is in it |
        | `prometheus/aibox-alerts.yml` | Prometheus | `rule_files` |
        | `prometheus/aibox-scrape.yml` | Prometheus | `scrape_config_files`, or under `scrape_configs`; see below |
        | `grafana/*.json` | Grafana | import; choose the data source |

        Figures come in one of two ways; with both, everything is counted twice.

        - From each running sandbox's gateway: `aibox config set audit.metrics_port 9464`, and every minute
          `aibox monitor targets > aibox-targets.json` beside `aibox-scrape.yml`. Prometheus runs on the same machine.
        - From the log as a whole, through node_exporter's textfile collector: every minute
          `aibox monitor metrics > /var/lib/node_exporter/aibox.prom`.

        `aibox monitor test` replays an attack and shows which of the Sigma rules fire.

        | rule | level | |
        |---|---|---|
        \(DetectionRule.all.map { "| \($0.name) | \($0.level) | \($0.title) |" }.joined(separator: "\n"))

        """
    }
}
