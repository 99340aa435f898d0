/// Rules for Falco (falco.org/docs/rules): what containers of aibox do that they have no business to.
///
/// They see sandboxes under crun. Under gVisor the host's kernel sees none of the sandbox's system calls: there the
/// walls themselves report (`network.deny`, `workspace.finding`).
enum FalcoRules {
    private struct Rule {
        var name: String
        var about: String
        var condition: String
        var output: String
        var priority: String
        var tags: String
    }

    private static let rules: [Rule] = [
        Rule(
            name: "aibox write outside its folders",
            about: "A sandbox opened a file for writing outside the folders it owns.",
            condition: "open_write and aibox_sandbox and not aibox_own_folder", output: "file=%fd.name",
            priority: "CRITICAL",
            tags: "[filesystem, mitre_persistence]"),
        Rule(
            name: "aibox raw or packet socket", about: "A sandbox tried to open a socket below TCP and UDP.",
            condition:
                "evt.type = socket and aibox_sandbox and (evt.arg[0] contains AF_PACKET or evt.arg[1] contains SOCK_RAW)",
            output: "socket=%evt.args", priority: "CRITICAL", tags: "[network, mitre_command_and_control]"),
        Rule(
            name: "aibox environment of another process",
            about: "A sandbox read the environment of a process, where secrets may be.",
            condition:
                "open_read and aibox_sandbox and fd.name startswith /proc/ and fd.name endswith /environ and not fd.name = /proc/self/environ",
            output: "file=%fd.name", priority: "CRITICAL", tags: "[process, mitre_credential_access]"),
        Rule(
            name: "aibox ptrace", about: "A sandbox tried to look into another process.",
            condition: "evt.type = ptrace and aibox_sandbox", output: "arguments=%evt.args", priority: "CRITICAL",
            tags: "[process, mitre_privilege_escalation]"),
        Rule(
            name: "aibox connection past the gateway",
            about: "A sandbox connected to another address than its gateway.",
            condition: "outbound and aibox_sandbox and not fd.sip = \"10.200.1.1\" and not fd.sip = \"127.0.0.1\"",
            output: "connection=%fd.name", priority: "WARNING", tags: "[network, mitre_command_and_control]"),
        Rule(
            name: "aibox account files", about: "A sandbox opened a file for writing that decides who may log in.",
            condition:
                "open_write and aibox_sandbox and fd.name in (/etc/shadow, /etc/gshadow, /etc/passwd, /etc/group, /etc/sudoers)",
            output: "file=%fd.name", priority: "CRITICAL", tags: "[filesystem, mitre_persistence]"),
        Rule(
            name: "aibox program from nowhere",
            about: "A sandbox ran a program that its image and its folders do not have.",
            condition: "spawned_process and aibox_sandbox and not aibox_program_folder",
            output: "program=%proc.exepath",
            priority: "WARNING", tags: "[process, mitre_execution]"),
        Rule(
            name: "aibox shell of an unexpected parent",
            about: "A shell in a sandbox was started by a server rather than a person or a build.",
            condition:
                "spawned_process and aibox_sandbox and proc.name in (bash, sh, zsh, dash) and proc.pname in (nginx, apache2, httpd, mysqld, postgres, redis-server)",
            output: "parent=%proc.pname", priority: "WARNING", tags: "[process, mitre_execution]"),
        Rule(
            name: "aibox large name query", about: "A sandbox sent much to a name server, as tunnels through names do.",
            condition:
                "evt.type in (sendto, sendmsg) and evt.dir = < and aibox_sandbox and fd.sport = 53 and evt.res > 200",
            output: "connection=%fd.name bytes=%evt.res", priority: "WARNING", tags: "[network, mitre_exfiltration]"),
        Rule(
            name: "aibox large request", about: "A sandbox wrote more than a mebibyte to its gateway in one call.",
            condition:
                "evt.type in (write, sendto, sendmsg) and evt.dir = < and aibox_sandbox and fd.sip = \"10.200.1.1\" and evt.res > 1048576",
            output: "connection=%fd.name bytes=%evt.res", priority: "WARNING", tags: "[network, mitre_exfiltration]"),
    ]

    static var text: String {
        let head = """
            # Rules for Falco over the sandboxes of aibox, made by: aibox monitor generate
            # They see sandboxes under crun. Under gVisor the host's kernel sees no system call of a sandbox.
            - required_engine_version: 0.26.0

            - macro: aibox_sandbox
              condition: (container.id != host and container.name startswith "aibox-")

            - macro: aibox_own_folder
              condition: >
                (fd.name startswith /workspace or fd.name startswith /tmp or fd.name startswith /var/tmp
                or fd.name startswith /home/dev or fd.name startswith /run or fd.name startswith /dev
                or fd.name startswith /proc/self or fd.name startswith /opt/toolpacks)

            - macro: aibox_program_folder
              condition: >
                (proc.exepath startswith /usr or proc.exepath startswith /bin or proc.exepath startswith /sbin
                or proc.exepath startswith /lib or proc.exepath startswith /workspace
                or proc.exepath startswith /home/dev or proc.exepath startswith /tmp
                or proc.exepath startswith /opt)

            """
        return head
            + rules.map { rule in
                """

                - rule: \(rule.name)
                  desc: \(rule.about)
                  condition: >
                    \(rule.condition)
                  output: >
                    \(rule.about) (sandbox=%container.name process=%proc.name command=%proc.cmdline user=%user.name \(rule.output))
                  priority: \(rule.priority)
                  tags: \(rule.tags)

                """
            }.joined()
    }
}
