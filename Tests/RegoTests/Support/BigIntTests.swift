import AiboxTestSupport
import Testing

@testable import Rego

/// Laws that hold for all integers, tried on random ones around the limb boundaries.
struct BigIntTests {
    private func random(_ generator: inout SeededGenerator) -> BigInt {
        let limbs = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
            [0, 1, UInt.max, UInt.max - 1, 1 << 63, UInt.random(in: 0...UInt.max, using: &generator)]
                .randomElement(using: &generator) ?? 0
        }
        return BigInt(limbs: limbs, negative: Bool.random(using: &generator))
    }

    @Test("Sums, products and quotients obey their laws")
    func laws() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<3000 {
            let (a, b, c) = (random(&generator), random(&generator), random(&generator))
            #expect(a + b == b + a)
            #expect((a + b) - b == a)
            #expect(a * (b + c) == a * b + a * c)
            #expect((a < b) == ((a - b).isNegative))
            guard let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b) else {
                #expect(b.isZero)
                continue
            }
            #expect(quotient * b + remainder == a)
            #expect(remainder.magnitude < b.magnitude)
            #expect(remainder.isZero || remainder.isNegative == a.isNegative)
        }
    }

    @Test("Bit operations are those of two's complement")
    func bits() throws {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<3000 {
            let (a, b) = (random(&generator), random(&generator))
            #expect(~(~a) == a)
            #expect((a & b) + (a | b) == a + b)
            #expect((a ^ b) == (a | b) - (a & b))
            let count = Int.random(in: 0...200, using: &generator)
            #expect(try a.shiftedLeft(count).shiftedRight(count) == a)
            let power = try BigInt.one.shiftedLeft(count)
            #expect(try a.shiftedLeft(count) == a * power)
            #expect(a - a.shiftedRight(count) * power == a & (power - .one))
        }
    }

    @Test("Text reads back in every base")
    func text() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<1000 {
            let value = random(&generator)
            #expect(BigInt(decimal: value.text()) == value)
            let base = Int.random(in: 2...36, using: &generator)
            #expect(BigInt(digits: value.asciiDigits(base: base, signed: false), base: base) == value.magnitude)
        }
    }

    @Test("Int64 and back", arguments: [0, 1, -1, Int64.max, Int64.min, Int64.min + 1, 1 << 32])
    func small(value: Int64) {
        #expect(BigInt(value).int64 == value)
        #expect(BigInt(value).text() == String(value))
    }

    @Test("Just outside of Int64 is no Int64")
    func outside() {
        #expect((BigInt(Int64.max) + .one).int64 == nil)
        #expect((BigInt(Int64.min) - .one).int64 == nil)
    }
}
