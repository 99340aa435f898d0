import AiboxContainer
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

struct PortForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "port-forward", abstract: "Make a port of the sandbox reachable on this machine.",
        usage: """
            aibox port-forward <port>[:<host-port>]
            aibox port-forward --list
            aibox port-forward --stop [<port>]
            """,
        discussion: """
            On 127.0.0.1 only, until it is stopped or the sandbox is. The server inside has to listen on all addresses \
            (0.0.0.0), not on its own loopback. Every user of this machine can connect.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Argument(
        help: ArgumentHelp("Port in the sandbox, and on this machine if it is another.", valueName: "port[:host-port]"))
    var ports: PortPair?

    @Flag(help: "List the ports that are forwarded.")
    var list = false

    @Flag(help: "Stop forwarding the port; without a port, all of them.")
    var stop = false

    func validate() throws {
        if list, stop || ports != nil { throw ValidationError("--list goes alone") }
        if !list, !stop, ports == nil { throw ValidationError("which port? aibox port-forward 3000, say") }
        if stop, let ports, ports.isPair { throw ValidationError("--stop takes the port in the sandbox alone") }
    }

    func run() throws {
        let record = try global.sandbox(sandbox, in: try global.context())
        let client = GatewayClient(runFolder: record.runFolder)
        if let ports, !stop {
            try client.forward(ports.inside, hostPort: ports.host)
            return global.output.answer(
                .text(
                    "Port \(ports.inside) of \(record.name) is at 127.0.0.1:\(ports.host).",
                    .object([.init("port", .integer(Int(ports.inside))), .init("host_port", .integer(Int(ports.host)))])
                ))
        }
        let forwards = try client.status().forwards
        if list { return global.output.answer(.listing(Self.listing(forwards))) }
        let ending = ports.map { [$0.inside] } ?? forwards.map(\.port)
        for port in ending { try client.endForward(port) }
        global.output.answer(
            .text(
                ending.isEmpty
                    ? "No port is forwarded."
                    : "No longer forwarded: \(ending.map(String.init).joined(separator: ", ")).",
                .object([.init("stopped", .list(ending.map { .integer(Int($0)) }))])))
    }

    static func listing(_ forwards: [ForwardedPort]) -> Listing {
        Listing(
            columns: ["port", "host", "connections"],
            rows: forwards.map {
                [.integer(Int($0.port)), .text("127.0.0.1:\($0.hostPort)"), .integer($0.connections)]
            })
    }
}

/// `3000`, or `3000:8080`: the port in the sandbox, and the host's.
struct PortPair: ExpressibleByArgument {
    var inside: UInt16
    var host: UInt16
    var isPair: Bool

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in UInt16(part).flatMap { $0 > 0 && String($0) == part ? $0 : nil } }
        guard (1...2).contains(parts.count), numbers.count == parts.count else { return nil }
        inside = numbers[0]
        host = numbers.last ?? inside
        isPair = numbers.count == 2
    }
}
