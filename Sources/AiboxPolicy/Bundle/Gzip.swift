import CZlib

/// Gzip (RFC 1952) in memory, over zlib.
enum Gzip {
    /// What was compressed, at most `limit` bytes. One member, and nothing after it.
    static func expand(_ bytes: [UInt8], limit: Int) throws(BundleFault) -> [UInt8] {
        var stream = z_stream()
        guard aibox_gunzip_start(&stream) == Z_OK else { throw BundleFault("zlib cannot be set up") }
        defer { inflateEnd(&stream) }
        var result: [UInt8] = []
        let state = run(bytes, &stream, inflate) { part in
            result += part
            return result.count <= limit
        }
        guard result.count <= limit else { throw BundleFault("it unpacks to more than \(limit >> 20) MiB") }
        guard state == Z_STREAM_END else { throw BundleFault("it is no gzip file, or is damaged or cut short") }
        guard stream.avail_in == 0 else { throw BundleFault("something follows the end of its gzip file") }
        return result
    }

    static func compress(_ bytes: [UInt8]) throws(BundleFault) -> [UInt8] {
        var stream = z_stream()
        guard aibox_gzip_start(&stream) == Z_OK else { throw BundleFault("zlib cannot be set up") }
        defer { deflateEnd(&stream) }
        var result: [UInt8] = []
        let state = run(bytes, &stream, deflate) { part in
            result += part
            return true
        }
        guard state == Z_STREAM_END else { throw BundleFault("zlib cannot pack it") }
        return result
    }

    /// Feeds all bytes to a function of zlib and hands on what comes out, until it ends, fails, or is told to stop.
    private static func run(
        _ bytes: [UInt8], _ stream: inout z_stream,
        _ step: (UnsafeMutablePointer<z_stream>?, Int32) -> Int32, _ take: (ArraySlice<UInt8>) -> Bool
    ) -> Int32 {
        var room = [UInt8](repeating: 0, count: 1 << 16)
        // zlib only reads its input.
        var input = bytes
        return input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            while true {
                let state = room.withUnsafeMutableBufferPointer { room in
                    stream.next_out = room.baseAddress
                    stream.avail_out = UInt32(room.count)
                    return step(&stream, Z_FINISH)
                }
                let count = room.count - Int(stream.avail_out)
                guard take(room[..<count]) else { return state }
                // Z_BUF_ERROR: there was no more room; without any progress, no more input.
                if state == Z_STREAM_END || count == 0 || (state != Z_OK && state != Z_BUF_ERROR) { return state }
            }
        }
    }
}
