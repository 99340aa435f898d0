/// Reads what the kernel answers.
enum NetlinkReply {
    /// The error number (0: done, negative otherwise) for a request, or nil if the bytes do not hold it.
    static func verdict(_ bytes: ArraySlice<UInt8>, sequence: UInt32) -> Int32? {
        var rest = bytes
        while rest.count >= 16 {
            let length = Int(rest.native(UInt32.self, at: 0))
            if length < 16 || length > rest.count { return nil }
            // NLMSG_ERROR = 2: struct nlmsgerr begins with the error number.
            if rest.native(UInt16.self, at: 4) == 2, rest.native(UInt32.self, at: 8) == sequence, length >= 20 {
                return rest.native(Int32.self, at: 16)
            }
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return nil
    }
}

extension ArraySlice<UInt8> {
    fileprivate func native<Number: FixedWidthInteger>(_: Number.Type, at offset: Int) -> Number {
        withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }
}
