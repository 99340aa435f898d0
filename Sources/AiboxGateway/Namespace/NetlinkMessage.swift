/// One rtnetlink request (rtnetlink(7)), built byte by byte: header, fixed part, attributes.
struct NetlinkMessage: Sendable, Equatable {
    /// Kinds of request, `<linux/rtnetlink.h>`.
    enum Kind: UInt16, Sendable {
        case newLink = 16
        case newAddress = 20
        case newRoute = 24
    }

    /// NLM_F_CREATE and friends, `<linux/netlink.h>`.
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt16
        static let request = Flags(rawValue: 0x001)
        static let acknowledge = Flags(rawValue: 0x004)
        static let replace = Flags(rawValue: 0x100)
        static let exclusive = Flags(rawValue: 0x200)
        static let create = Flags(rawValue: 0x400)
    }

    let kind: Kind
    let flags: Flags
    private(set) var payload: [UInt8] = []

    init(_ kind: Kind, _ flags: Flags = []) {
        self.kind = kind
        self.flags = flags.union([.request, .acknowledge])
    }

    /// The bytes to send under a sequence number.
    func bytes(sequence: UInt32) -> [UInt8] {
        var out: [UInt8] = []
        out.appendNative(UInt32(16 + payload.count))
        out.appendNative(kind.rawValue)
        out.appendNative(flags.rawValue)
        out.appendNative(sequence)
        out.appendNative(UInt32(0))  // port: the kernel fills it in
        return out + payload
    }

    mutating func append(_ number: some FixedWidthInteger) { payload.appendNative(number) }

    /// struct ifinfomsg.
    ///
    /// - Parameter mask: the flags that change; nil: exactly those named.
    mutating func appendLink(index: UInt32, flags: UInt32 = 0, mask: UInt32? = nil) {
        append(UInt32(0))  // family, padding, type
        append(index)
        append(flags)
        append(mask ?? flags)
    }

    /// struct rtattr with `content`, padded to four bytes.
    mutating func attribute(_ type: UInt16, _ content: [UInt8]) {
        append(UInt16(4 + content.count))
        append(type)
        payload += content
        while payload.count % 4 != 0 { payload.append(0) }
    }

    /// An attribute that holds a number in the machine's byte order.
    mutating func attribute(_ type: UInt16, _ number: some FixedWidthInteger) {
        var content: [UInt8] = []
        content.appendNative(number)
        attribute(type, content)
    }

    /// An attribute that holds a zero-ended text.
    mutating func attribute(_ type: UInt16, _ text: String) { attribute(type, Array(text.utf8) + [0]) }

    /// An attribute that holds other things.
    mutating func nested(_ type: UInt16, _ fill: (inout NetlinkMessage) -> Void) {
        let start = payload.count
        append(UInt16(0))
        append(type)
        fill(&self)
        let length = UInt16(payload.count - start)
        withUnsafeBytes(of: length) { payload.replaceSubrange(start..<start + 2, with: $0) }
    }
}

extension [UInt8] {
    mutating func appendNative(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number) { append(contentsOf: $0) }
    }
}
