/// `docs/policy.md`, made from the schema so that it cannot fall behind.
public enum PolicyDocumentation {
    /// The whole page.
    public static var markdown: String {
        var page = """
            # Policy

            This page is made from the table of fields; `aibox policy docs` prints it.

            Three documents say what a sandbox may do. Each is a file of the same form, and each may only tighten what comes before it:

            1. **org**: `/etc/aibox/org-policy.yaml` (`policy.org_baseline_path`); the baseline that is part of aibox, where nobody set the
               path and there is no such file. Where the machine has one, no setting of a user's can point past it.
            2. **team**: the file that `policy.team_policy_path` names; set in `/etc/aibox/config.yaml`, nothing else can change or drop it.
            3. **project**: `aibox/policy.yaml` in the workspace (`policy.project_policy_path`).

            A file that the settings name and that is missing is an error (status 2), never the same as no policy.

            `aibox start` merges them before anything is made. A document that loosens refuses the start with exit status 2, and each
            complaint names both lines. The merged policy is kept for the stay under its digest, which stands in the audit events of
            its start, sessions and stop: editing a file changes nothing until the next start.
            `aibox status` says whether what is on the disk, the organisation's Rego included, is still that (`policy`).

            | command | what it does |
            |---|---|
            | `aibox policy validate [--org F] [--team F] [--project F]` | everything that is wrong, at once; status 0 or 2 |
            | `aibox policy show [--effective] [--origin] [-o json]` | what holds here, with the line that says so; `--name` shows what a sandbox is held to |
            | `aibox policy diff A B` | what becomes reachable or runnable with B in the place of A, and what stops |
            | `aibox policy diff --with-team F` | the same of the policy in effect here, or of `--org`, `--team`, `--project`, with F in the place of the team's; `--with-org`, `--with-project` |
            | `aibox policy why tool\\|net\\|llm\\|mcp\\|file\\|push ARGS` | what a sandbox here would be told, by which rule, and what each other rule lacks |
            | `aibox policy log [--denied] [--sandbox S] [-o jsonl]` | the decisions: what was asked, the answer, the rule |
            | `aibox policy explain --log-entry ID` | why a decision was what it was, and what would change it |
            | `aibox policy replay [LOG] --with F` | which decisions of the past other policies would change; `--with-team`, `--with-project` |
            | `aibox policy pull`, `status`, `bundle` | fetches, shows and makes signed bundles of policies |

            The documents of the organisation and of the team can come as **signed bundles** with a version and an expiry
            ([policy-bundles.md](policy-bundles.md)): then the bundle is the document, and without a bundle that holds nothing starts.

            ## Reading

            Examples: an organisation (`aibox-policies/examples/org.yaml`), two of its teams (`teams/backend.yaml`, `teams/data.yaml`), a project of
            the first (`project/policy.yaml`), and refusals in the organisation's own Rego with their tests (`rego`). Each says why it says so.

            `version: 1` is required. Unknown keys, keys given twice, values of another form, aliases, anchors, tags, entries given twice and
            files that cannot be read are errors with file, line and column; nothing is ignored. `configs/policy.schema.json` lets editors
            complete the fields.

            A field that is absent says nothing: what came before stands. `rootless: false` says something, and loosens where the organisation
            said `true`. An empty list says "none". Where even the organisation is silent the default below holds.

            ## Merging

            Each field has an order, the fourth column below. What a later document says must be as tight as what came before, or tighter;
            it is never made so silently. All violations are reported together. Merging is one pure function, associative and idempotent; a test
            makes 100,000 random triples that vary every field, compares each value with its parent's, decides random requests of every kind, and
            finds nothing that a parent denies and the merged policy allows.

            `network.allow` of a later document stands for itself: it lists what is left. Each entry must be permitted by the earlier list in
            full: hosts, ports, schemes, methods, paths, inspection, limits. An entry without a limit does not fit one that has it, and several
            entries in the place of one share its limit. A name that the earlier list singles out needs its own entry beside a later wildcard.
            A list that takes hosts away also ends `user_hosts: any`.
            Where `network.inspection` is forbidden, an entry of any layer with methods or paths for https, or `inspect: true`, is an error.

            **Exceptions** add hosts to the organisation's `network.allow` up to and with their last day (UTC), also in a sandbox that outlives it: at the end
            of the day, by the machine's clock, the gateway takes away what rested on them, as `aibox network deny` does, and writes `policy.change` (layer `org`) before. What
            is left is what a start on the next day would have; where team or project list such a host, so that this start would be refused, nothing can be reached
            any more. Learning ends with the first such end, for good. `aibox status` says beforehand what ends when (`exceptions`). `policy explain` asks again about the policy
            of the start, with the exceptions of then.

            Rules of `tools` and tools of `mcp` of all layers count together: the strictest that fits wins, then the most specific, then org
            before team before project. A later rule that an earlier, stricter one always overrides is an error, not a rule without effect.

            A program that no rule names has no gate in its place ([tools.md](tools.md)): it runs, and nobody is asked. So "denied" means that a
            rule denies it, or that a rule names the program and no rule lets this run. About a program that no earlier
            rule names a later document may say what it likes, since all of it is tighter: under the embedded baseline a team writes
            `{match: [git], allow: true, risk: safe}` and `{match: [git, push], allow: true, risk: review-required}`. About a program that an earlier rule names
            (also one that only lets it run) a later rule may deny; it may review or let run what an earlier rule lets run. The same goes for MCP servers, where
            the list is what counts: as long as no document has one, nobody is asked.

            ## Decisions

            One question, one answer: `{decision: allow|review|deny, risk, rule, layer, reason, obligations}`. `PolicyDecider` asks the policies
            in Rego (`aibox-policies/org`, part of aibox) about starts, tools, connections, files, credentials, pushes, models and MCP tools; no rule,
            an error and a time-out mean deny. `aibox policy why` asks for a person. **Nothing asks yet** about files inside a sandbox and about pushes: what
            `policy why file` and `policy why push` say holds nobody.

            **Connections** are decided by the gateway twice, and the stricter answer counts: by the allow-list in force, and by the policies in
            Rego about what the list allows. `input.request` has `host`, `port`, `scheme` and, for a request in the clear or inside a tunnel that is opened, `method` and
            `path` (in normal form, without query); a tunnel itself has neither, for they are not seen yet. `input.sandbox.name` is the sandbox, `input.policy.network.allow` the list in force, with what
            a person added (layers `user` and `session`). A refusal is answered with 403 and the reason of the rule. Names are resolved by the list alone, and lead to
            the gateway.

            **Requests to language models** are decided by the gateway for the LLM proxy, before anything goes to the provider: `input.action` is `llm`, and
            `input.request` has `model`, `provider` (the host), `endpoint` (the API's path), `stream` and `tools` (whether the model gets any). Only `allow` lets a request
            pass. Each such question is asked once and its answer kept until the proxy has another plan; `policy.allow` or `policy.deny` is on the disk before.

            **Admission.** `aibox start` asks before anything is made, and audits the answer. The question is what the sandbox is to be, read off the
            argv that podman will be given; if the argv is another one when the container is run, the start ends there.

            | member of `input.sandbox` | |
            |---|---|
            | `runtime` | `engine`, `rootless`, `privileged`, `no_new_privileges`, `seccomp`, `capabilities` (added), `devices`, `namespaces` (shared with the host), `read_only_root`, `user` |
            | `network.isolated` | no way out but the gateway |
            | `resources` | `cpus`, `memory`, `pids`, `tmp_size`, sizes in bytes; `not_enforced` lists those that this machine cannot enforce |
            | `mounts` | what of the host is seen: `source`, `target`, and `shows` where the source is a view of another folder |
            | `volumes` | `name`, `target` |

            A refusal names every rule that is broken, its file and line, its layer, and who may change it.

            **The organisation's own Rego.** Files in `/etc/aibox/policies` (package `aibox.org` or below; `_test.rego` is left out) add refusals to
            the baseline, and can take nothing away. They are asked at the start, about each credential that it lends
            ([credentials.md](credentials.md)), about programs that
            rules name, agents' own tools and those of MCP servers ([tools.md](tools.md)), connections and requests to models, and by `policy why`.

            ```rego
            package aibox.org

            deny contains {"rule": "no-crun", "reason": "crun is for build servers"} if {
                input.action == "start"
                input.sandbox.runtime.engine == "crun"
            }

            deny contains {"rule": "read-only", "reason": "the mirror is only read"} if {
                input.action == "network"
                input.request.host == "mirror.example.com"
                not input.request.method in {"GET", "HEAD"}
            }
            ```

            **The log.** Decisions are events of the audit log (`policy.allow`, `policy.deny`, `network.allow`, `network.deny`), chained and signed with
            it. Each has the rule, its layer, the digest of the policy in force and, for Rego, the question, the digest of the input and that of the
            policies in Rego. Both are kept by digest in `~/.local/state/aibox/policies`, so that `policy explain` asks the same question again under the
            policy of then and shows, for each rule that did not fire, the first condition that was not met, with its values: for tools, MCP tools and models the
            entries of `tools.rules`, `mcp.servers` and `llm.models`. Decisions about connections
            are asked again of the allow-list and of the organisation's own policies. What a person added with `aibox network allow` is in the log, and not in the policy.

            ## What is enforced

            The last column says what this version of aibox enforces. A document may say more. Then `aibox policy validate` and every `aibox start` name
            the fields that nothing enforces yet, and `required: [tools, resources]` refuses the start instead: a section stands
            for what the documents say in it, a field for itself. `required: [resources]` also refuses machines that cannot enforce the limits.

            An agent can write to its workspace, and so to the project's policy: it can loosen that again, up to the team's and the organisation's,
            for the next start. The audit log then has `policy.change` with both digests. What must hold belongs into the first two.

            ## Fields

            Sizes are `512m`, `8g`, `2GiB`; durations `90s`, `30m`, `8h`; days `2027-01-31`.

            | field | value | default | tighter | enforced by |
            |---|---|---|---|---|

            """
        for field in PolicySchema.fields {
            page +=
                "| `\(field.name)`<br>\(cell(field.documentation)) | \(cell(form(field.kind))) | \(standard(field)) "
            page += "| \(cell(field.order.words)) | \(enforcement(field)) |\n"
        }
        for field in PolicySchema.fields {
            guard case .list(.group(let members), _) = field.kind else { continue }
            page += "\n### Entries of `\(field.name)`\n\n| key | value | |\n|---|---|---|\n"
            for member in members {
                page += "| `\(member.name)`\(member.isRequired ? ", always" : "") | \(cell(form(member.kind))) "
                page += "| \(cell(member.documentation)) |\n"
            }
        }
        return page
    }

    private static func form(_ kind: PolicyKind) -> String {
        if case .list(.group, _) = kind { return "a list of entries, see below" }
        return kind.words
    }

    private static func standard(_ field: PolicyField) -> String {
        guard let standard = field.standard else { return "no limit" }
        return "`\(field.words(of: PolicyItem(standard, .builtIn)))`"
    }

    private static func enforcement(_ field: PolicyField) -> String {
        switch field.enforcement {
        case .enforced(let words): cell(words)
        case .always(let value): "always `\(value)`; nothing else"
        case .notYet: "**nothing yet**"
        }
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("*", with: "\\*") }
}
