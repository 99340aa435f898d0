extension GoText {
    static func trimSpace(_ text: String) -> String {
        trim(text, left: true, right: true, UnicodeTables.isSpace)
    }

    static func trim(_ text: String, cutset: String) -> String {
        let members = GoRune.runes(cutset)
        return trim(text, left: true, right: true, members.contains)
    }

    static func trimLeft(_ text: String, cutset: String) -> String {
        let members = GoRune.runes(cutset)
        return trim(text, left: true, right: false, members.contains)
    }

    static func trimRight(_ text: String, cutset: String) -> String {
        let members = GoRune.runes(cutset)
        return trim(text, left: false, right: true, members.contains)
    }

    static func trimPrefix(_ text: String, _ prefix: String) -> String {
        text.withBytes { bytes in
            prefix.withBytes { part in
                part.count <= bytes.count && matches(bytes, part, at: 0)
                    ? slice(bytes, part.count..<bytes.count) : text
            }
        }
    }

    static func trimSuffix(_ text: String, _ suffix: String) -> String {
        text.withBytes { bytes in
            suffix.withBytes { part in
                part.count <= bytes.count && matches(bytes, part, at: bytes.count - part.count)
                    ? slice(bytes, 0..<(bytes.count - part.count)) : text
            }
        }
    }

    private static func trim(_ text: String, left: Bool, right: Bool, _ isCut: (UInt32) -> Bool) -> String {
        text.withBytes { bytes in
            var start = 0
            var end = bytes.count
            while left, start < end {
                let (rune, width) = GoRune.decode(bytes, start)
                guard isCut(rune) else { break }
                start += width
            }
            while right, end > start {
                let (rune, width) = GoRune.decodeLast(bytes, end)
                guard isCut(rune) else { break }
                end -= width
            }
            return start == 0 && end == bytes.count ? text : slice(bytes, start..<end)
        }
    }
}
