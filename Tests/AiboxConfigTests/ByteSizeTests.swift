import AiboxConfig
import AiboxTestSupport
import Testing

@Suite("Sizes")
struct ByteSizeTests {
    @Test(
        "the forms of podman and docker are read",
        arguments: [
            ("0", 0), ("1000", 1000), ("1b", 1), ("8g", 8 << 30), ("8G", 8 << 30), ("8gb", 8 << 30), ("8GiB", 8 << 30),
            ("8Gi", 8 << 30), ("512m", 512 << 20), ("3k", 3072), ("2t", 2 << 40), ("007k", 7168),
        ] as [(String, Int64)])
    func forms(text: String, bytes: Int64) {
        #expect(ByteSize(text)?.bytes == bytes)
    }

    @Test(
        "anything else is no size",
        arguments: [
            "", "g", "-1", "+1", "1.5g", "8 g", " 8g", "8g ", "8gg", "8p", "8ib", "0x10", "1e3", "١g",
            "9223372036854775808",
            "9007199254740992g", "8g\n", "1_000",
        ])
    func others(text: String) {
        #expect(ByteSize(text) == nil)
    }

    @Test("the text of any size reads back as the same size")
    func roundTrip() {
        var numbers = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            let shift = Int64.random(in: 0...4, using: &numbers) * 10
            let size = ByteSize(bytes: Int64.random(in: 0...(1 << 20), using: &numbers) << shift)
            #expect(ByteSize(size.description) == size)
        }
        #expect(ByteSize(bytes: 0).description == "0")
        #expect(ByteSize(gibibytes: 8).description == "8g")
        #expect(ByteSize(mebibytes: 1536).description == "1536m")
    }
}
