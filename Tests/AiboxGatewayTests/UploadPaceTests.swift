import NIOCore
import Testing

@testable import AiboxGateway

@Suite("Pace of uploads")
struct UploadPaceTests {
    @Test("who is far ahead waits until Squid holds little, and asks less often the longer it takes")
    func pace() {
        var pace = UploadPace()
        pace.sent(UploadPace.limit - 1)
        #expect(!pace.isSpent)
        pace.sent(1)
        #expect(pace.isSpent)
        pace.asks()
        let pauses = (0..<8).compactMap { _ in pace.answered(held: UploadPace.limit) }
        #expect(pauses.count == 8 && pauses == pauses.sorted() && pauses.last == .milliseconds(50))
        #expect(pace.isSpent)
        #expect(pace.answered(held: 1000) == nil && !pace.isSpent && pace.ahead == 1000)
    }

    @Test("a Squid that does not say what it holds stops nothing")
    func unknown() {
        var pace = UploadPace()
        pace.sent(UploadPace.limit * 2)
        pace.asks()
        #expect(pace.answered(held: nil) == nil && !pace.isSpent)
    }
}
