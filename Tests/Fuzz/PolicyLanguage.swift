// Entry point for libFuzzer over the policy language: the module's parser, compiler and formatter, JSON, regular
// expressions and globs. Built together with the sources of Rego by Tests/Fuzz/run; which one is fed is
// chosen by AIBOX_FUZZ, so that one build serves all.

import Glibc

private let target: String = getenv("AIBOX_FUZZ").map { String(cString: $0) } ?? "policy"

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
    switch target {
    case "policy": fuzzPolicy(input)
    case "json": fuzzJSON(input)
    case "regex": fuzzRegex(input)
    case "glob": fuzzGlob(input)
    default: preconditionFailure("AIBOX_FUZZ is policy, json, regex or glob")
    }
    return 0
}

/// What parses formats to a fixed point; what compiles evaluates within small budgets.
private func fuzzPolicy(_ input: [UInt8]) {
    if let once = try? Formatter().format(input, name: "f.rego") {
        guard let twice = try? Formatter().format(once, name: "f.rego") else {
            preconditionFailure("the formatted text does not parse")
        }
        precondition(once == twice, "formatting again changes the text")
    }
    guard let engine = try? Engine(modules: [Engine.Module(name: "f.rego", text: input)]),
        let query = try? engine.prepare("data"),
        let value = try? engine.value(json: Array(#"{"a": [1, {"b": "c"}], "k": 2}"#.utf8))
    else { return }
    var options = PreparedQuery.Options()
    options.limits.steps = 20_000
    options.limits.bytes = 8 << 20
    options.limits.time = .seconds(2)
    for strict in [false, true] {
        options.strictBuiltinErrors = strict
        _ = try? query.value(input: value, options: options)?.json
    }
}

/// What is read is written so that reading gives the same again.
private func fuzzJSON(_ input: [UInt8]) {
    guard let value = try? JSONReader.value(input) else { return }
    let text = JSONWriter.bytes(value)
    guard let again = try? JSONReader.value(text) else { preconditionFailure("the written JSON cannot be read") }
    precondition(again.equals(value) && JSONWriter.bytes(again) == text, "writing changes the value")
}

/// A pattern, a line end, a text.
private func halves(_ input: [UInt8]) -> (String, [UInt8])? {
    guard let end = input.firstIndex(of: 10) else { return nil }
    let text = Array(String(decoding: input[(end + 1)...], as: UTF8.self).utf8)
    return (String(decoding: input[..<end], as: UTF8.self), text)
}

/// The automaton and the search agree; matches are within the text and in order; parts and matches make the text.
private func fuzzRegex(_ input: [UInt8]) {
    guard let (pattern, text) = halves(input) else { return }
    let valid = RegularExpression.isValid(pattern)
    guard let regex = try? RegularExpression(pattern) else { return }
    precondition(valid, "an invalid pattern compiles")
    text.withUnsafeBufferPointer { bytes in
        let found = regex.find(bytes)
        precondition(regex.isMatch(bytes) == (found != nil), "match and search disagree")
        var end = 0
        for match in regex.findAll(bytes, limit: 200) {
            precondition(match.lowerBound >= end && match.upperBound <= bytes.count, "matches overlap")
            end = match.upperBound
        }
        if let groups = regex.captures(bytes) {
            precondition(groups.count == regex.groupCount + 1 && groups[0] == found, "captures and search disagree")
        }
    }
    let string = String(decoding: text, as: UTF8.self)
    _ = regex.split(string)
    precondition((try? regex.replaceAll(string, template: "$0")) == string, "replacing by itself changes the text")
}

/// With and without delimiters: what matches with them matches without; quoted text matches itself only.
private func fuzzGlob(_ input: [UInt8]) {
    guard let (pattern, text) = halves(input) else { return }
    let string = String(decoding: text, as: UTF8.self)
    if let quoted = try? GlobPattern(GlobPattern.quoteMeta(string), delimiters: ["."]) {
        precondition(quoted.matches(string), "quoted text does not match itself")
        precondition(!quoted.matches(string + "x"), "quoted text matches more")
    }
    guard let open = try? GlobPattern(pattern, delimiters: []),
        let closed = try? GlobPattern(pattern, delimiters: [".", "/"])
    else { return }
    let isOpen = open.matches(string)
    if closed.matches(string) { precondition(isOpen, "delimiters add matches") }
}
