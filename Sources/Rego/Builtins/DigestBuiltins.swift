extension Builtins {
    static func addDigests(_ table: inout BuiltinTable) {
        for (name, digest) in [("md5", Digest.md5), ("sha1", .sha1), ("sha256", .sha256), ("sha512", .sha512)] {
            if name != "sha512" {
                table.add("crypto.\(name)") { _, x throws(BuiltinFailure) in
                    .string(Hex.encode(digest.hash(try x.string(0).bytes)))
                }
            }
            table.add("crypto.hmac.\(name)") { _, x throws(BuiltinFailure) in
                let (message, key) = (try x.string(0), try x.string(1))
                return .string(Hex.encode(digest.hmac(key: key.bytes, message: message.bytes)))
            }
        }
        table.add("crypto.hmac.equal") { _, x throws(BuiltinFailure) in
            .bool(Digest.constantTimeEqual(try x.text(0), try x.text(1)))
        }
    }
}
