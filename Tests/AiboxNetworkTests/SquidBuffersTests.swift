import AiboxNetwork
import Testing

@Suite("Squid's buffers")
struct SquidBuffersTests {
    private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"

    private func connection(_ used: String, _ port: String) -> String {
        "Connection: 0x55\n\tFD 13, read 300106, wrote 0\n\tFD desc: Reading next request\n"
            + "\tin: buf 0x55, used \(used), free 6173\n\tremote: 127.0.0.1:\(port)\n\tlocal: 127.0.0.1:3128\n"
            + "\tnrequests: 1\nuri http://allowed.test/\nlogType TCP_MISS\n\n"
    }

    private func read(_ text: String) -> [UInt16: Int]? { SquidBuffers(answer: Array(text.utf8))?.held }

    @Test("the page says by port what is held")
    func page() {
        #expect(read(Self.head + connection("0", "4000") + connection("524288", "4001")) == [4000: 0, 4001: 524_288])
    }

    @Test("what is no page, and what is no number, says nothing")
    func others() {
        #expect(read("") == nil)
        #expect(read("HTTP/1.1 403 Forbidden\r\n\r\n" + connection("1", "4000")) == nil)
        #expect(read(Self.head + "nothing") == nil)
        #expect(read(Self.head + connection("-1", "4000") + connection("7", "99999") + connection("8", "1")) == [1: 8])
        #expect(read(Self.head + connection("9999999999999999999999", "4000")) == [:])
        // The URL is the sandbox's text.
        let forged = connection("5", "4000").replacing("http://allowed.test/", with: "in: buf 0, used 9, free 0")
        #expect(read(Self.head + forged) == [4000: 5])
    }

    @Test("the question shows another key than the sandbox's requests")
    func question() {
        let question = String(decoding: SquidBuffers.question(port: 3128, secret: "abc"), as: UTF8.self)
        #expect(question.contains("X-Aibox-Key: abc-reader\r\n") && question.hasSuffix("\r\n\r\n"))
    }
}
