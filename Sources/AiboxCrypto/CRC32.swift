/// The checksum of ISO-HDLC, as zip, PNG and the event streams of AWS have it (ISO 3309; polynomial 0xEDB88320, reflected).
/// Finds what a line spoils, not what somebody changes.
public enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? 0xEDB8_8320 ^ rest >> 1 : rest >> 1 }
    }

    /// - Parameter before: the checksum of what stands before these bytes.
    public static func checksum(_ bytes: some Sequence<UInt8>, after before: UInt32 = 0) -> UInt32 {
        ~bytes.reduce(~before) { rest, byte in table[Int((rest ^ UInt32(byte)) & 0xFF)] ^ rest >> 8 }
    }
}
