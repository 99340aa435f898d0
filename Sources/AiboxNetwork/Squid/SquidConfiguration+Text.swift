extension SquidConfiguration {
    /// squid.conf.
    public var text: String {
        let sections = [general, listener, callers, outgoing, destinations, access, bumping, judging]
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private var general: [String] {
        var lines = [
            "# Written by aibox; changes are lost.",
            "visible_hostname \(Self.hostName)",
            "workers 1",
            "pid_filename \(pidFile)",
            "logformat aibox \(SquidLogLine.format)",
            "acl reader req_header \(Self.keyHeader) ^\(Self.readerKey(secret))$",
            "access_log stdio:\(accessLog) logformat=aibox !reader",
            "cache_log \(cacheLog)",
            // What a sandbox can provoke does not fill the disk.
            "debug_options ALL,0",
            "sslproxy_session_cache_size 0",
            "logfile_rotate 0",
            "coredump_dir \(folder)",
            // One page is ours, the rest is Squid's own.
            "error_directory \(folder)",
            "cache deny all",
            "cache_mem 8 MB",
            "memory_pools off",
            "max_filedescriptors 16384",
            "shutdown_lifetime 0 seconds",
            "netdb_filename none",
            "pinger_enable off",
            "eui_lookup off",
            "icp_port 0",
            "htcp_port 0",
            "snmp_port 0",
            "forwarded_for delete",
            "httpd_suppress_version_string on",
            "strip_query_terms off",
            // None gets this far: the strict parser below refuses it. `deny` would refuse Squid's own questions (`judging`) as well.
            "uri_whitespace encode",
            "check_hostnames on",
            "allow_underscore off",
            "relaxed_header_parser off",
            "pipeline_prefetch 0",
            "request_header_max_size 64 KB",
            // The gateway keeps it from being full, which older Squids do not survive (`SquidBuffers`).
            "client_request_buffer_max_size 1 MB",
            "client_lifetime 1 day",
            "half_closed_clients off",
        ]
        if let effectiveUser { lines.append("cache_effective_user \(effectiveUser)") }
        return lines
    }

    private var listener: [String] {
        var port = "http_port \(address):\(self.port) ssl-bump tls-cert=\(authority)"
        port +=
            inspects
            ? " generate-host-certificates=on dynamic_cert_mem_cache_size=4MB" : " generate-host-certificates=off"
        if !inspects { return [port] }
        return [
            port, "sslcrtd_program \(Self.certificateGenerator) -s \(certificateDatabase) -M 4MB",
            "sslcrtd_children 4 startup=1 idle=1",
        ]
    }

    /// Where Debian and Ubuntu put the program.
    public static let certificateGenerator = "/usr/lib/squid/security_file_certgen"

    /// The file in `folder` with what a client reads that Squid refused: inside an opened tunnel nobody else can answer.
    public static let refusalPage = "ERR_ACCESS_DENIED"
    public static let refusal = """
        {"error":"request_not_allowed","rule":"second-check","layer":"org",\
        "reason":"the allow-list does not permit this method or path on this host",\
        "next_steps":["Use a method and a path that are on the list.",\
        "Ask the person who runs this sandbox to run: aibox network show"]}

        """

    private var outgoing: [String] {
        var lines: [String] = []
        if let nameServers { lines.append("dns_nameservers " + nameServers.map(\.description).joined(separator: " ")) }
        if let hostsFile { lines.append("hosts_file \(hostsFile)") }
        lines += [
            // An answer is kept at least this long, so that the check of the target and the connection see
            // the same one (DNS rebinding).
            "negative_dns_ttl 60 seconds",
            "dns_defnames off",
            "connect_timeout 20 seconds",
            "forward_max_tries 3",
        ]
        let authorities = originAuthorities.map { " cafile=\($0)" }.joined()
        lines.append("tls_outgoing_options default-ca=on\(authorities) min-version=1.2")
        lines.append("sslproxy_cert_error deny all")
        // A login for the company's proxy is written by Squid itself, into the same field; what a client wrote there it drops then.
        let login = upstream?.login == nil ? ["Proxy-Authorization"] : []
        for header in [Self.keyHeader] + login + ["Proxy-Connection", "Via"] {
            lines.append("request_header_access \(header) deny all")
        }
        // A server that does not read a body would take it for a next request, which nobody has allowed: after one with a body
        // there is none.
        lines += ["request_header_access Connection deny body", "request_header_replace Connection close"]
        if let upstream {
            var peer = "cache_peer \(upstream.host) parent \(upstream.port) 0 no-query no-digest default name=upstream"
            if upstream.usesTLS { peer += " tls" }
            if let login = upstream.login { peer += " login=\(login)" }
            lines += [peer, "never_direct allow all"]
        }
        return lines
    }

    /// Only the gateway: by the secret in each request, or on a connection that showed it in its CONNECT
    /// (requests inside an opened tunnel are written by the sandbox and cannot show it).
    private var callers: [String] {
        [
            "acl gateway req_header \(Self.keyHeader) ^\(secret)$",
            "acl vouch annotate_client aibox=vouched",
            "acl vouched note aibox vouched",
            "acl tunnel method CONNECT",
            "acl https proto HTTPS",
            "acl http proto HTTP",
            "acl chunked req_header Transfer-Encoding .",
            "acl sized req_header Content-Length [1-9]",
            "acl body any-of chunked sized",
            "acl bodiless method GET HEAD",
            // Squid would answer these itself.
            "acl own method PURGE TRACE",
            "acl buffers urlpath_regex ^/squid-internal-mgr/active_requests$",
            "http_access allow manager buffers reader",
            "http_access deny manager",
            "http_access deny own",
            "http_access deny bodiless body",
            "http_access deny !gateway !vouched",
            // `vouch` always matches, so this line never does: it is there for the mark that it leaves.
            "http_access deny tunnel gateway !vouch",
        ]
    }

    private var destinations: [String] {
        var lines = targets.refusedRanges.map { "acl private dst \($0)" }
        for (index, host) in allowList.hosts.enumerated() {
            switch host {
            case .exact(let name):
                lines.append("acl h\(index) dstdomain -n \(name)")
                lines.append("acl s\(index) ssl::server_name --client-requested \(name)")
            case .oneLabelBelow(let base):
                let expression = "^[^.]+[.]" + base.text.split(separator: ".").joined(separator: "[.]") + "$"
                lines.append("acl h\(index) dstdom_regex -n \(expression)")
                lines.append("acl s\(index) ssl::server_name_regex --client-requested \(expression)")
            }
        }
        for (index, denial) in allowList.denials.enumerated() {
            switch denial.host {
            case .exact(let name): lines.append("acl d\(index) dstdomain -n \(name)")
            case .oneLabelBelow(let base):
                let expression = "^[^.]+[.]" + base.text.split(separator: ".").joined(separator: "[.]") + "$"
                lines.append("acl d\(index) dstdom_regex -n \(expression)")
            }
        }
        for (index, rule) in allowList.rules.enumerated() {
            lines.append("acl r\(index)_ports port " + rule.ports.map(String.init).joined(separator: " "))
            if let methods = rule.methods {
                lines.append("acl r\(index)_methods method " + methods.joined(separator: " "))
            }
            for path in rule.paths ?? [] { lines.append("acl r\(index)_paths urlpath_regex \(path.regularExpression)") }
        }
        if isJudged { lines.append("acl judged dstdomain -n \(Self.judgedProbe)") }
        lines.append("acl dotted urlpath_regex \(Self.dotExpression)")
        lines += Self.oddPathExpressions.map { "acl odd_path urlpath_regex \($0)" }
        return lines
    }

    /// A path with a `.` segment: the gateway, asked, has Squid forward it without (`OpenedForm`).
    public static let dotExpression = "^[^?]*/[.]([/?]|$)"
    /// Other paths that are not in the normal form of `RequestPath`: Squid forwards what it got, so it may only
    /// get what rules were written for. Each looks at the path before a question mark. None ends with a backslash, which would
    /// make the next line a part of it (squid.conf, "Lines ending with a backslash").
    public static let oddPathExpressions = [
        // Dot segments, plain or before an escape or a parameter; empty segments.
        "^[^?]*/([.][.]([/;%?]|$)|[.][;%])", "^[^?]*%2[Ff][.][.]?([/;%?]|$)", "^[^?]*//",
        // Escapes of unreserved characters, escapes in lower case, escaped percent, backslash, controls.
        "^[^?]*%(2[DEde]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[EeFf])", "^[^?]*%([0-9A-F][a-f]|[a-f][0-9A-Fa-f])",
        "^[^?]*%25", "^[^?]*%5[Cc]", "^[^?]*%[01]", #"^[^?]*[\\]"#,
    ]

    private var access: [String] {
        var lines = allowList.denials.indices.map { "http_access deny d\($0)" }
        // Goes no further than to the judge.
        if isJudged { lines.append("http_access allow gateway !tunnel http judged") }
        for (hostIndex, host) in allowList.hosts.enumerated() {
            for (ruleIndex, rule) in allowList.rules.enumerated() where rule.hosts.contains(host) {
                let place = "\(match(hostIndex)) r\(ruleIndex)_ports"
                let methods = rule.methods == nil ? "" : " r\(ruleIndex)_methods"
                let limits = methods + (rule.paths == nil ? "" : " r\(ruleIndex)_paths !dotted !odd_path")
                if rule.schemes.contains(.https) {
                    lines.append("http_access allow gateway tunnel \(place) !private")
                    // A second look, after the ClientHello: at what was asked for inside, or, where the tunnel
                    // stays closed, at the same CONNECT again, which shows no key any more. In an opened
                    // tunnel no CONNECT is accepted: Squid would not open the tunnel in the tunnel.
                    let inside = isInspected(host) ? "!tunnel https" : "tunnel"
                    let second = "http_access allow vouched \(inside) \(place) s\(hostIndex)"
                    lines.append("\(second)\(isInspected(host) ? limits : "") !private")
                    // What the gateway answers is looked at once more (`judging`).
                    if isJudged, isInspected(host), rule.paths != nil {
                        lines.append("\(second)\(methods) dotted !odd_path !private")
                    }
                }
                if rule.schemes.contains(.http) {
                    lines.append("http_access allow gateway !tunnel http \(place)\(limits) !private")
                }
            }
        }
        lines.append("http_access deny all")
        return lines
    }

    /// Names that an exact entry speaks for are no business of a wildcard's.
    private func match(_ hostIndex: Int) -> String {
        let patterns = allowList.hosts
        let shadowed = patterns.indices.filter { other in
            patterns[other].isExact && other != hostIndex && patterns[hostIndex].covers(patterns[other])
        }
        return (["h\(hostIndex)"] + shadowed.map { "!h\($0)" }).joined(separator: " ")
    }

    /// The SNI has to be the CONNECT host, by exact name where the entry has one.
    ///
    /// A tunnel that is opened is opened at once: nobody speaks to the origin before a request in it was allowed, which
    /// looks at the SNI too (`access`), and its certificate and the connections to the origin serve more than one tunnel.
    private var bumping: [String] {
        let hosts = allowList.hosts.enumerated().filter { _, host in
            allowList.rules.contains { $0.hosts.contains(host) && $0.schemes.contains(.https) }
        }
        var lines = hosts.filter { isInspected($0.element) }.map { "ssl_bump bump h\($0.offset)" }
        lines += ["acl step1 at_step SslBump1", "ssl_bump peek step1"]
        let closed = hosts.filter { !isInspected($0.element) }
        lines += (closed.filter(\.element.isExact) + closed.filter { !$0.element.isExact }).map { index, _ in
            "ssl_bump splice h\(index) s\(index)"
        }
        lines += ["ssl_bump terminate all", "on_unsupported_protocol respond all"]
        return lines
    }

    /// Whatever the list allows in an opened tunnel is asked of the gateway before anything of it goes out; who cannot be asked
    /// allows nothing.
    private var judging: [String] {
        guard let judge, inspects else { return [] }
        return [
            "icap_enable on",
            "icap_preview_enable on",
            "icap_persistent_connections on",
            "icap_connect_timeout 5 seconds",
            // Longer than any answer: who is asked twice writes it down twice.
            "icap_io_timeout 5 minutes",
            "icap_service_failure_limit -1",
            "icap_service_revival_delay 1",
            "icap_service judge reqmod_precache icap://127.0.0.1:\(judge.port)/\(judge.secret) bypass=off on-overload=wait",
            "adaptation_access judge allow vouched !tunnel https",
            "adaptation_access judge allow judged",
            "adaptation_access judge deny all",
        ] + answered
    }

    /// What the gateway has Squid forward may be another request than what Squid asked about: it is compared with the
    /// list once more, and goes nowhere but to the tunnel's host.
    private var answered: [String] {
        var lines = ["adapted_http_access allow !https", "adapted_http_access allow tunnel"]
        for (hostIndex, host) in allowList.hosts.enumerated() where isInspected(host) {
            for (ruleIndex, rule) in allowList.rules.enumerated()
            where rule.hosts.contains(host) && rule.schemes.contains(.https) {
                let limits =
                    (rule.methods == nil ? "" : " r\(ruleIndex)_methods")
                    + (rule.paths == nil ? "" : " r\(ruleIndex)_paths !dotted !odd_path")
                lines.append("adapted_http_access allow \(match(hostIndex)) r\(ruleIndex)_ports s\(hostIndex)\(limits)")
            }
        }
        return lines + ["adapted_http_access deny all"]
    }

    /// A host is opened as soon as one of its https entries asks for it.
    private func isInspected(_ host: HostPattern) -> Bool {
        allowList.rules.contains { $0.hosts.contains(host) && $0.opensTLS }
    }
}
