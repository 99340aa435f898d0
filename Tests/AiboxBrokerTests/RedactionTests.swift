import AiboxCrypto
import NIOCore
import Testing

@testable import AiboxBroker

@Suite("Keys that come back are taken out")
struct RedactionTests {
    static let secret = "sk-ant-api03-Zq7/+x_Y9-w\"q"

    /// Spellings in which an answer could have the key.
    static let spellings: [(String, String)] = {
        let bytes = Array(secret.utf8)
        func base64(_ before: String, _ after: String) -> String {
            Base64.encode(Array(before.utf8) + bytes + Array(after.utf8))
        }
        let url = base64("", "").replacing("+", with: "-").replacing("/", with: "_")
        return [
            ("as it is", secret), ("in JSON", secret.replacing("\"", with: "\\\"")),
            ("in hexadecimal", Hex.encode(bytes)), ("in large hexadecimal", Hex.encode(bytes).uppercased()),
            ("in Base64", base64("", "")), ("in Base64, one byte in", base64("k", "!")),
            ("in Base64, two bytes in", base64("k=", "?!")), ("in Base64 for URLs", url),
            ("percent-encoded", "sk-ant-api03-Zq7%2F%2Bx_Y9-w%22q"),
        ]
    }()

    private func redact(_ pieces: [[UInt8]], _ forms: SecretForms) -> (bytes: [UInt8], count: Int) {
        var redaction = Redaction(forms)
        var out: [UInt8] = []
        for piece in pieces { out += redaction.feed(ByteBuffer(bytes: piece)).readableBytesView }
        out += redaction.finish().readableBytesView
        return (out, redaction.count)
    }

    @Test("in every spelling, cut at every place into two pieces", arguments: spellings)
    func everyBorder(_ description: String, _ spelling: String) {
        let forms = SecretForms([Self.secret])
        let text = Array("{\"echo\":\"\(spelling)\"} and sk-ant-api03 alone".utf8)
        for cut in 0...text.count {
            let (out, count) = redact([Array(text[..<cut]), Array(text[cut...])], forms)
            #expect(out.count == text.count)
            #expect(count >= 1)
            #expect(!String(decoding: out, as: UTF8.self).contains(spelling), "cut at \(cut)")
            #expect(String(decoding: out, as: UTF8.self).hasSuffix("} and sk-ant-api03 alone"))
        }
    }

    @Test("byte by byte", arguments: spellings) func bytes(_ description: String, _ spelling: String) {
        let forms = SecretForms([Self.secret, "another-key-entirely"])
        let text = Array("x\(spelling)y".utf8)
        let (out, _) = redact(text.map { [$0] }, forms)
        #expect(!String(decoding: out, as: UTF8.self).contains(spelling))
        #expect(out.first == UInt8(ascii: "x") && out.last == UInt8(ascii: "y") && out.count == text.count)
    }

    @Test("for random texts and pieces: what no key is in comes out as it went in; what one is in has the same length")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let secrets = ["abcabcabd", "abdabcabca"]
        let forms = SecretForms(secrets)
        for _ in 0..<4000 {
            // Few letters, so that beginnings of keys are everywhere.
            var text = (0..<Int.random(in: 0...120)).map { _ in "abcd".utf8.randomElement(using: &generator) ?? 0 }
            if Bool.random(using: &generator) {
                text.insert(contentsOf: Array(secrets[Int.random(in: 0...1)].utf8), at: Int.random(in: 0...text.count))
            }
            var pieces: [[UInt8]] = []
            var rest = text[...]
            while !rest.isEmpty {
                let size = Int.random(in: 1...9)
                pieces.append(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            let (out, count) = redact(pieces, forms)
            #expect(out.count == text.count)
            let holds = secrets.contains { text.firstRange(of: Array($0.utf8)) != nil }
            #expect(holds == (count > 0))
            if !holds { #expect(out == text) }
            for secret in secrets { #expect(out.firstRange(of: Array(secret.utf8)) == nil) }
            for (before, after) in zip(text, out) where before != after { #expect(after == UInt8(ascii: "*")) }
        }
    }

    @Test("lines go on at once, and where pieces end tells nothing of the key") func unbuffered() {
        var redaction = Redaction(SecretForms([Self.secret]))
        #expect(redaction.feed(ByteBuffer(string: "data: {}\n\n")).readableBytes == 10)
        #expect(redaction.feed(ByteBuffer(string: "data: sk-a")).readableBytes == 0)
        #expect(String(buffer: redaction.feed(ByteBuffer(string: "b!\n"))) == "data: sk-ab!\n")
        // Guesses at the key, right and wrong: the pieces are the same.
        let text =
            (1...Self.secret.count).map { "x\(Self.secret.prefix($0))?" }.joined() + "\n" + Self.secret.dropLast()
        let other = String(Self.secret.reversed())
        for size in 1...40 {
            var sizes: [[Int]] = []
            for secret in [Self.secret, other] {
                var redaction = Redaction(SecretForms([secret]))
                var rest = Array(text.utf8)[...]
                var own: [Int] = []
                while !rest.isEmpty {
                    own.append(redaction.feed(ByteBuffer(bytes: rest.prefix(size))).readableBytes)
                    rest = rest.dropFirst(size)
                }
                sizes.append(own)
            }
            #expect(sizes[0] == sizes[1], "pieces of \(size)")
        }
    }

    @Test("a long text without lines takes no more room than its pieces") func room() {
        var redaction = Redaction(SecretForms([Self.secret]))
        var input = RequestInput()
        let piece = ByteBuffer(repeating: 0, count: 4096)
        for _ in 0..<1000 {
            let passed = redaction.feed(piece)
            #expect(passed.readableBytes > 3000)
            #expect(passed.storageCapacity <= 16 << 10)
            input.append(piece)
            input.bytes.moveReaderIndex(to: input.bytes.writerIndex - 1)
            #expect(input.bytes.storageCapacity <= 16 << 10)
        }
    }

    @Test("no key, no work") func none() {
        var redaction = Redaction(SecretForms([]))
        #expect(redaction.feed(ByteBuffer(string: "anything")).readableBytes == 8)
    }
}
