/// The Squid behind one gateway: the second, independent check on the way out.
///
/// It repeats what the gateway decided (host, port, scheme), requires the SNI to be the CONNECT host,
/// refuses private targets after resolution, and opens TLS where an entry limits methods or paths.
/// Nobody but the gateway can use it: it listens on a loopback address, and every connection has to
/// show a secret that only the gateway and this 0600 file hold. Squid 5.7 and later.
public struct SquidConfiguration: Sendable, Equatable {
    /// A proxy of the company's through which everything has to go.
    public struct UpstreamProxy: Sendable, Equatable {
        public var host: String
        public var port: UInt16
        public var usesTLS: Bool
        /// `user:password`, percent-encoded; nil for none.
        public var login: String?

        public init(host: String, port: UInt16, usesTLS: Bool = false, login: String? = nil) {
            self.host = host
            self.port = port
            self.usesTLS = usesTLS
            self.login = login
        }
    }

    /// An ICAP service on 127.0.0.1 (`ICAPRequest`).
    public struct Judge: Sendable, Equatable {
        public var port: UInt16
        /// The service's path, which nobody else knows: letters and digits only, 128 bits or more.
        public var secret: String

        public init(port: UInt16, secret: String) {
            self.port = port
            self.secret = secret
        }
    }

    /// Loopback address and port to listen on.
    public var address: IPAddress
    public var port: UInt16
    /// What the gateway sends in `X-Aibox-Key`: letters and digits only, 128 bits or more.
    public var secret: String
    /// Private folder for pid file, logs and the certificate database.
    public var folder: String
    public var allowList: AllowList
    public var targets: TargetPolicy
    /// Certificate and key (PEM, one file) that sign for inspected hosts. Squid demands one to splice, too.
    public var authority: String
    /// Files of CAs that origins may have beside the system's.
    public var originAuthorities: [String]
    public var upstream: UpstreamProxy?
    /// nil: those of the host.
    public var nameServers: [IPAddress]?
    /// The account to change to when started by root.
    public var effectiveUser: String?
    /// nil: `/etc/hosts`.
    public var hostsFile: String?
    /// Where the gateway is asked about each request that is read in an opened tunnel; nil: nowhere.
    public var judge: Judge?
    /// Write the access log to standard output, which who starts it reads, instead of a file in `folder`.
    public var logsToOutput: Bool

    public init(
        address: IPAddress = .v4(0x7F00_0001), port: UInt16, secret: String, folder: String, allowList: AllowList,
        targets: TargetPolicy = TargetPolicy(), authority: String, originAuthorities: [String] = [],
        upstream: UpstreamProxy? = nil, nameServers: [IPAddress]? = nil, effectiveUser: String? = nil,
        hostsFile: String? = nil, judge: Judge?, logsToOutput: Bool = false
    ) {
        self.address = address
        self.port = port
        self.secret = secret
        self.folder = folder
        self.allowList = allowList
        self.targets = targets
        self.authority = authority
        self.originAuthorities = originAuthorities
        self.upstream = upstream
        self.nameServers = nameServers
        self.effectiveUser = effectiveUser
        self.hostsFile = hostsFile
        self.judge = judge
        self.logsToOutput = logsToOutput
    }

    /// The header that carries the secret; removed before anything is forwarded.
    public static let keyHeader = "X-Aibox-Key"
    /// What Squid calls itself. No allow-list can name it: it is no full name.
    static let hostName = "aibox-proxy"
    /// What the gateway shows instead of the secret to read how much Squid holds (`SquidBuffers`), and nothing else: whatever it
    /// sends on for the sandbox shows the secret itself.
    static func readerKey(_ secret: String) -> String { secret + "-reader" }

    /// A host that no list can name and no rule permits: asking for it shows that the rules are in force.
    public static let refusedProbe = "squid-probe.aibox.internal"
    /// Another, for which only the judge answers: asking for it shows that the judge is heard. Needs the secret, too.
    public static let judgedProbe = "squid-judge.aibox.internal"

    public var pidFile: String { folder + "/squid.pid" }
    public var accessLog: String { logsToOutput ? "/proc/self/fd/1" : folder + "/access.log" }
    public var cacheLog: String { folder + "/cache.log" }
    public var certificateDatabase: String { folder + "/certificates" }

    /// True if some entry needs TLS opened.
    public var inspects: Bool { allowList.inspects }

    /// True if requests in opened tunnels are the judge's to decide.
    public var isJudged: Bool { judge != nil && inspects }
}
