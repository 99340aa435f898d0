/// FIPS 180-4, section 6.1.
enum SHA1 {
    static func hash(_ message: [UInt8]) -> [UInt8] {
        let data = DigestPadding.padded(message, block: 64, lengthBytes: 8, bigEndian: true)
        var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
        var words = [UInt32](repeating: 0, count: 80)
        for block in stride(from: 0, to: data.count, by: 64) {
            for index in 0..<16 { words[index] = SHAWord.read(data, block + index * 4) }
            for index in 16..<80 {
                let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16]
                words[index] = mixed << 1 | mixed >> 31
            }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for round in 0..<80 {
                let mix: UInt32
                let constant: UInt32
                switch round / 20 {
                case 0: (mix, constant) = ((b & c) | (~b & d), 0x5a82_7999)
                case 1: (mix, constant) = (b ^ c ^ d, 0x6ed9_eba1)
                case 2: (mix, constant) = ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc)
                default: (mix, constant) = (b ^ c ^ d, 0xca62_c1d6)
                }
                let sum = (a << 5 | a >> 27) &+ mix &+ e &+ constant &+ words[round]
                (e, d, c, b, a) = (d, c, b << 30 | b >> 2, a, sum)
            }
            for (index, value) in [a, b, c, d, e].enumerated() { state[index] &+= value }
        }
        return state.flatMap { SHAWord.bytes($0) }
    }
}

/// FIPS 180-4, section 6.2.
enum SHA256 {
    private static let constants: [UInt32] = SHAConstants.cubeRoots.prefix(64).map { UInt32($0 >> 32) }

    static func hash(_ message: [UInt8]) -> [UInt8] {
        let data = DigestPadding.padded(message, block: 64, lengthBytes: 8, bigEndian: true)
        var state: [UInt32] = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
        let constants = constants
        var words = [UInt32](repeating: 0, count: 64)
        for block in stride(from: 0, to: data.count, by: 64) {
            for index in 0..<16 { words[index] = SHAWord.read(data, block + index * 4) }
            for index in 16..<64 {
                let (x, y) = (words[index - 15], words[index - 2])
                let small = SHAWord.rotate(x, 7) ^ SHAWord.rotate(x, 18) ^ x >> 3
                let large = SHAWord.rotate(y, 17) ^ SHAWord.rotate(y, 19) ^ y >> 10
                words[index] = words[index - 16] &+ small &+ words[index - 7] &+ large
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            for round in 0..<64 {
                let sum1 = SHAWord.rotate(e, 6) ^ SHAWord.rotate(e, 11) ^ SHAWord.rotate(e, 25)
                let first = h &+ sum1 &+ ((e & f) ^ (~e & g)) &+ constants[round] &+ words[round]
                let sum0 = SHAWord.rotate(a, 2) ^ SHAWord.rotate(a, 13) ^ SHAWord.rotate(a, 22)
                let second = sum0 &+ ((a & b) ^ (a & c) ^ (b & c))
                (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
            }
            for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
        }
        return state.flatMap { SHAWord.bytes($0) }
    }
}

/// FIPS 180-4, section 6.4.
enum SHA512 {
    static func hash(_ message: [UInt8]) -> [UInt8] {
        let data = DigestPadding.padded(message, block: 128, lengthBytes: 16, bigEndian: true)
        var state: [UInt64] = [
            0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
            0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
        ]
        let constants = SHAConstants.cubeRoots
        var words = [UInt64](repeating: 0, count: 80)
        for block in stride(from: 0, to: data.count, by: 128) {
            for index in 0..<16 { words[index] = SHAWord.read(data, block + index * 8) }
            for index in 16..<80 {
                let (x, y) = (words[index - 15], words[index - 2])
                let small = SHAWord.rotate(x, 1) ^ SHAWord.rotate(x, 8) ^ x >> 7
                let large = SHAWord.rotate(y, 19) ^ SHAWord.rotate(y, 61) ^ y >> 6
                words[index] = words[index - 16] &+ small &+ words[index - 7] &+ large
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            for round in 0..<80 {
                let sum1 = SHAWord.rotate(e, 14) ^ SHAWord.rotate(e, 18) ^ SHAWord.rotate(e, 41)
                let first = h &+ sum1 &+ ((e & f) ^ (~e & g)) &+ constants[round] &+ words[round]
                let sum0 = SHAWord.rotate(a, 28) ^ SHAWord.rotate(a, 34) ^ SHAWord.rotate(a, 39)
                let second = sum0 &+ ((a & b) ^ (a & c) ^ (b & c))
                (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
            }
            for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
        }
        return state.flatMap { SHAWord.bytes($0) }
    }
}

private enum SHAWord {
    /// Big-endian.
    static func read<Word: FixedWidthInteger>(_ data: [UInt8], _ start: Int) -> Word {
        var word: Word = 0
        for offset in 0..<(Word.bitWidth / 8) { word = word << 8 | Word(data[start + offset]) }
        return word
    }

    static func bytes<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
        stride(from: Word.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> Word($0)) }
    }

    @inline(__always)
    static func rotate<Word: FixedWidthInteger>(_ word: Word, _ count: Word) -> Word {
        word >> count | word << (Word(Word.bitWidth) - count)
    }
}

private enum SHAConstants {
    /// The first 64 bits of the fractions of the cube roots of the first 80 primes (sections 4.2.2 and 4.2.3).
    static let cubeRoots: [UInt64] = {
        var roots: [UInt64] = []
        var candidate = 2
        while roots.count < 80 {
            let isPrime = (2..<candidate).allSatisfy { $0 * $0 > candidate || candidate % $0 != 0 }
            if isPrime { roots.append(cubeRootFraction(candidate)) }
            candidate += 1
        }
        return roots
    }()

    /// floor(cbrt(n) * 2^64) modulo 2^64, bit by bit.
    private static func cubeRootFraction(_ number: Int) -> UInt64 {
        let target = BigInt(number).shiftedLeftUnchecked(192)
        var root = BigInt.zero
        for bit in stride(from: 67, through: 0, by: -1) {
            let candidate = root | BigInt.one.shiftedLeftUnchecked(bit)
            if candidate * candidate * candidate <= target { root = candidate }
        }
        return UInt64(root.limbs.first ?? 0)
    }
}
