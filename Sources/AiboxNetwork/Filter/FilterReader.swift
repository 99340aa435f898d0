public import AiboxSystem
import CNftnl
import Glibc

/// Reads the live ruleset of a network namespace over netlink (libnftnl, libmnl): no process is started.
///
/// A netlink socket belongs to the namespace in which it was opened, whoever holds it later. The reader
/// needs CAP_NET_ADMIN over that namespace, as its owner's user has it.
public struct FilterReader: Sendable {
    private let socket: Descriptor

    /// Opens a socket in the namespace of the calling thread.
    public init() throws(AiboxError) {
        self.init(
            Descriptor(
                try retrying("cannot open a netlink socket") {
                    Glibc.socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Self.closeOnExec, NETLINK_NETFILTER)
                }))
    }

    /// Uses a netlink socket (NETLINK_NETFILTER) that was opened in the namespace in question.
    public init(_ socket: Descriptor) { self.socket = socket }

    /// What to give socket(2) to open a socket for a reader elsewhere: AF_NETLINK, SOCK_RAW and this.
    public static let netlinkProtocol: Int32 = NETLINK_NETFILTER

    private static let closeOnExec: Int32 = 0o2000000

    /// Everything at once.
    ///
    /// - Throws: also when the ruleset changed while it was read; the next attempt will see it whole.
    public func read() throws(AiboxError) -> FilterSnapshot {
        let tables = try dump(NFT_MSG_GETTABLE, NftnlDecoder.table).sorted()
        let chains = try dump(NFT_MSG_GETCHAIN, NftnlDecoder.chain)
        let rules = try dump(NFT_MSG_GETRULE, NftnlDecoder.rule)
        let counters = try dump(NFT_MSG_GETOBJ, NftnlDecoder.counter)
        var elements: [String] = []
        for set in try dump(NFT_MSG_GETSET, NftnlDecoder.set) {
            elements += try dump(NFT_MSG_GETSETELEM, NftnlDecoder.elements, of: set).joined()
        }
        return FilterSnapshot(
            tables: tables, chains: chains, rules: rules, counters: counters.compactMap { $0 }, setElements: elements)
    }

    /// Only the counters: cheap enough for every second.
    public func counters() throws(AiboxError) -> [FilterSnapshot.Counter] {
        try dump(NFT_MSG_GETOBJ, NftnlDecoder.counter).compactMap { $0 }
    }

    private func dump<Value>(
        _ message: nf_tables_msg_types, _ decode: (UnsafePointer<nlmsghdr>) -> Value?, of set: NftnlSet? = nil
    ) throws(AiboxError) -> [Value] {
        let sequence = UInt32.random(in: 1 ... .max)
        try send(message, sequence, set)
        var values: [Value] = []
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 8)
        defer { room.deallocate() }
        while true {
            let count = try retrying("cannot read the packet filter") {
                recv(socket.number, room.baseAddress, room.count, 0)
            }
            let datagram = UnsafeRawBufferPointer(rebasing: room[..<count])
            let outcome = NftnlMessages.read(datagram, sequence: sequence) { header in
                if let value = decode(header) { values.append(value) }
            }
            switch outcome {
            case .more: continue
            case .done: return values
            case .failed(let number): throw .system("cannot read the packet filter", errno: number)
            case .interrupted:
                throw AiboxError(.failed, "cannot read the packet filter", why: "it changed at the same moment")
            }
        }
    }

    private func send(_ message: nf_tables_msg_types, _ sequence: UInt32, _ set: NftnlSet?) throws(AiboxError) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
        defer { room.deallocate() }
        guard let base = room.baseAddress?.assumingMemoryBound(to: CChar.self),
            let header = nftnl_nlmsg_build_hdr(
                base, UInt16(message.rawValue), UInt16(NFPROTO_UNSPEC), UInt16(NLM_F_DUMP), sequence)
        else { throw AiboxError(.failed, "cannot ask for the packet filter") }
        if let set { set.write(to: header) }
        let size = Int(header.pointee.nlmsg_len)
        try retrying("cannot ask for the packet filter") { Glibc.send(socket.number, base, size, 0) }
    }
}
