public import AiboxNetwork

/// What a sandbox asked for while it learned, and how often.
public struct LearnedWants: Sendable {
    /// A call of a program, as the decision was asked about it.
    public struct Call: Sendable, Hashable {
        public var argv: [String]
        /// The names under which it counts; nil: as it stands.
        public var called: [[String]]?

        public init(argv: [String], called: [[String]]?) {
            self.argv = argv
            self.called = called
        }

        /// The command lines that rules are asked about.
        var lines: [[String]] { called.map { names in names.map { $0 + argv.dropFirst() } } ?? [argv] }

        /// The names of its program.
        var names: [String] { lines.compactMap(\.first) }
    }

    /// A tool of an MCP server.
    public struct ServerTool: Sendable, Hashable {
        public var server: String
        public var tool: String

        public init(server: String, tool: String) {
            self.server = server
            self.tool = tool
        }
    }

    /// A model that was refused, by which rule and why.
    public struct Model: Sendable, Hashable {
        public var name: String
        public var rule: String
        public var reason: String

        public init(name: String, rule: String, reason: String) {
            self.name = name
            self.rule = rule
            self.reason = reason
        }
    }

    public private(set) var serverTools: [(want: ServerTool, seen: Int)] = []
    public private(set) var models: [(want: Model, seen: Int)] = []
    public private(set) var requests: [(request: EgressRequest, seen: Int)] = []
    public private(set) var calls: [(call: Call, seen: Int)] = []
    /// Names that were asked for and do not resolve.
    public private(set) var names: [String: Int] = [:]
    /// Whether there was more than is kept.
    public private(set) var isCut = false

    private var requestPlaces: [String: Int] = [:]
    private var callPlaces: [Call: Int] = [:]

    /// Different ones of each kind that are kept.
    public static let limit = 2000

    public init() {}

    public mutating func add(_ request: EgressRequest) {
        if let place = requestPlaces[request.words] {
            requests[place].seen += 1
        } else if requests.count < Self.limit {
            requestPlaces[request.words] = requests.count
            requests.append((request, 1))
        } else {
            isCut = true
        }
    }

    public mutating func add(name: String) {
        if names[name] == nil, names.count >= Self.limit {
            isCut = true
        } else {
            names[name, default: 0] += 1
        }
    }

    public mutating func add(_ tool: ServerTool) { if !Self.count(tool, in: &serverTools) { isCut = true } }

    public mutating func add(_ model: Model) { if !Self.count(model, in: &models) { isCut = true } }

    /// - Returns: whether there is room for it.
    private static func count<Want: Equatable>(_ want: Want, in wants: inout [(want: Want, seen: Int)]) -> Bool {
        if let place = wants.firstIndex(where: { $0.want == want }) {
            wants[place].seen += 1
        } else if wants.count < limit {
            wants.append((want, 1))
        } else {
            return false
        }
        return true
    }

    public mutating func add(_ call: Call) {
        if let place = callPlaces[call] {
            calls[place].seen += 1
        } else if calls.count < Self.limit {
            callPlaces[call] = calls.count
            calls.append((call, 1))
        } else {
            isCut = true
        }
    }
}

extension EgressRequest {
    /// For people: `CONNECT host:443`, `POST https://host:443/path`. Two requests are the same if these are.
    public var words: String {
        switch content {
        case .tunnel: "CONNECT \(host):\(port)"
        case .http(let scheme, let method, let path): "\(method) \(scheme.rawValue)://\(host):\(port)\(path.path)"
        }
    }
}
