import Testing

@testable import AiboxBroker

@Suite("How much there is of something") struct TideTests {
    @Test("rises to its limit and no further") func rises() {
        var tide = Tide()
        #expect(tide.rise(by: 60, to: 100))
        #expect(!tide.rise(by: 41, to: 100) && tide.now == 60)
        #expect(!tide.rise(by: .max, to: 100) && tide.now == 60)
        #expect(tide.rise(by: 40, to: 100) && tide.now == 100)
    }

    @Test("ebbs once after it was high, and not after it was low") func ebbs() {
        var tide = Tide()
        #expect(tide.rise(by: 90, to: 100))
        var ebbs = 0
        for _ in 0..<90 where tide.fall(by: 1, below: 80) { ebbs += 1 }
        #expect(ebbs == 1 && tide.now == 0)
        #expect(tide.rise(by: 70, to: 100))
        #expect(!tide.fall(by: 70, below: 80))
    }
}
