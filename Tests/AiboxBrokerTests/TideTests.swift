import Testing

@testable import AiboxBroker

@Suite("How much there is of something") struct TideTests {
    @Test("rises to its limit and no further") func rises() {
        var tide = Tide()
        let steps = [(60, true), (41, false), (Int.max, false), (40, true), (1, false)]
        for (count, fits) in steps {
            let did = tide.rise(by: count, to: 100)
            #expect(did == fits, "\(count)")
        }
        #expect(tide.now == 100)
    }

    @Test("ebbs once after it was high, and not after it was low") func ebbs() {
        var tide = Tide()
        _ = tide.rise(by: 90, to: 100)
        var ebbs = 0
        for _ in 0..<90 where tide.fall(by: 1, below: 80) { ebbs += 1 }
        #expect(ebbs == 1 && tide.now == 0)
        _ = tide.rise(by: 70, to: 100)
        let ebbed = tide.fall(by: 70, below: 80)
        #expect(!ebbed)
    }
}
