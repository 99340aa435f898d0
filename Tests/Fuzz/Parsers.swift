// Entry points for libFuzzer: each takes one input, feeds it to a parser in ways that must agree, and
// traps when they do not. Built together with the sources of AiboxNetwork by Tests/Fuzz/run.

import CNftnl
import Glibc

/// The parser that this process feeds.
private let parser = getenv("AIBOX_FUZZ").map { String(cString: $0) } ?? ""

/// One input, one parser.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
    switch parser {
    case "http": fuzzHTTP(input)
    case "tls": fuzzTLS(input)
    case "dns": fuzzDNS(input)
    case "squidlog": fuzzSquidLog(input)
    case "icap": fuzzICAP(input)
    case "netlink": fuzzNetlink(input)
    case "trace": fuzzTrace(input)
    case "hostname": fuzzHostName(input)
    case "gitcredential": fuzzGitCredential(input)
    case "bundle": fuzzBundle(input)
    case "http2": fuzzHTTP2(input)
    case "grpc": fuzzGRPC(input)
    case "caller": fuzzCaller(input)
    case "frames": fuzzFrames(input)
    default: preconditionFailure("AIBOX_FUZZ names no parser")
    }
    return 0
}

/// Frames of a server, whole and in halves: as many bytes of bodies, never more than came, and few bytes in return.
private func fuzzHTTP2(_ input: [UInt8]) {
    let now = ContinuousClock.now
    func feed(_ parts: [ArraySlice<UInt8>]) -> (data: Int, ends: Bool)? {
        guard let session = try? HTTP2ClientSession() else { preconditionFailure("no session") }
        let head = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
        for _ in 0..<2 { _ = try? session.open(head.map { HTTP2Field($0, $1) }, endsStream: true) }
        _ = session.output()
        var (data, written, ends) = (0, 0, false)
        for part in parts {
            guard
                let events = part.withUnsafeBytes({ bytes -> [HTTP2Event]? in
                    try? session.receive(bytes, at: now)
                })
            else {
                precondition(session.isOver && !session.canOpen)
                return nil
            }
            for event in events {
                if case .data(let stream, let bytes) = event {
                    data += bytes.count
                    try? session.consume(bytes.count, on: stream)
                }
                if case .end = event { ends = true }
            }
            written += session.output().count
        }
        precondition(data <= input.count && written <= 64 * input.count + 1024, "more than there was")
        return (data, ends)
    }
    let whole = feed([input[...]])
    let halves = feed([input.prefix(input.count / 2), input.dropFirst(input.count / 2)])
    // What is written between the halves may end a stream before its rest comes.
    if let whole, let halves { precondition(halves.data <= whole.data) }
}

/// Messages in a body: the same whole and by bytes; what is in them is read or not, never worse.
private func fuzzGRPC(_ input: [UInt8]) {
    var one = GRPCMessages()
    let whole = one.feed(input)
    var other = GRPCMessages()
    let bytes = input.flatMap { other.feed([$0]) }
    precondition(whole == bytes && one.fault == other.fault && one.isInside == other.isInside)
    for message in whole + [input] {
        precondition(message.count <= input.count)
        let entries = try? WorkloadMessages.x509Entries(message)
        precondition((entries?.count ?? 0) <= WorkloadMessages.mostEntries)
        precondition(entries?.allSatisfy { $0.chain.count + $0.key.count + $0.bundle.count <= message.count } ?? true)
        _ = try? WorkloadMessages.jwtEntries(message)
        _ = try? WorkloadMessages.jwtBundles(message)
    }
}

/// An archive that is read names nothing outside of itself and nothing twice, and written again reads the same.
private func fuzzBundle(_ input: [UInt8]) {
    // Checksums are what random changes never get right: each header gets its own.
    for bytes in [input, summed(input)] {
        guard let files = try? BundleTar.read(bytes) else { continue }
        precondition(Set(files.map(\.name)).count == files.count, "a name twice")
        precondition(files.reduce(0) { $0 + $1.bytes.count } <= bytes.count, "more than there was")
        for file in files {
            let parts = file.name.split(separator: "/", omittingEmptySubsequences: false)
            precondition(!parts.contains("..") && !parts.contains(".") && !parts.contains(""), "a name that leads out")
        }
        guard let written = try? BundleTar.write(files) else { continue }
        precondition((try? BundleTar.read(written)) == files, "written again it reads otherwise")
    }
}

/// The blocks that begin an entry, with the checksum that they would have.
private func summed(_ input: [UInt8]) -> [UInt8] {
    var bytes = input
    for start in stride(from: 0, to: bytes.count - 511, by: 512) where bytes[start + 257] == UInt8(ascii: "u") {
        var sum = 8 * 0x20
        for index in 0..<512 where !(148..<156).contains(index) { sum += Int(bytes[start + index]) }
        for digit in 0..<7 { bytes[start + 148 + digit] = 0x30 + UInt8(sum >> (18 - 3 * digit) & 7) }
        bytes[start + 155] = 0
    }
    return bytes
}

/// Whole and by bytes: the same requests, and the same end.
private func fuzzICAP(_ input: [UInt8]) {
    func parse(_ size: Int) -> ([ICAPRequest], Bool) {
        var parser = ICAPRequestParser()
        var requests: [ICAPRequest] = []
        for start in stride(from: 0, to: input.count, by: size) {
            parser.feed(input[start..<min(start + size, input.count)])
            do { while let request = try parser.next() { requests.append(request) } } catch { return (requests, true) }
        }
        return (requests, false)
    }
    guard !input.isEmpty else { return }
    let (whole, isRefused) = parse(input.count)
    let (bytes, isRefusedByBytes) = parse(1)
    precondition(whole == bytes && isRefused == isRefusedByBytes, "the pieces change what is read")
    for case .modify(_, let question) in whole {
        let (method, url) = (question.method, question.url)
        precondition(!method.isEmpty && !url.isEmpty && !url.contains(" ") && !url.contains("\r\n"))
        let head = question.head(asking: url)
        precondition(head.starts(with: Array("\(method) \(url) HTTP/".utf8)), "the head is another one")
    }
}

/// Whole, by bytes, and in halves: the same head or the same refusal; then the body, likewise.
private func fuzzHTTP(_ input: [UInt8]) {
    func parse(_ sizes: [Int]) -> (HTTPRequestHeadParser.Progress, Int) {
        var parser = HTTPRequestHeadParser()
        var index = 0
        for size in sizes {
            let end = min(input.count, index + size)
            switch parser.feed(input[index..<end]) {
            case .needsMore: index = end
            case .head(let head, let unread): return (.head(head, unread: unread + input.count - end), end)
            case .refused(let why): return (.refused(why), end)
            }
        }
        return (.needsMore, index)
    }
    let whole = parse([input.count]).0
    let bytes = parse(Array(repeating: 1, count: input.count)).0
    let halves = parse([input.count / 2, input.count]).0
    precondition(whole == bytes && whole == halves, "chunks change the outcome")
    guard case .head(let head, let unread) = whole else { return }
    precondition(unread <= input.count)
    precondition(head.minorVersion == 0 || head.host != nil)
    let rest = input.suffix(unread)
    var one = HTTPBodyTracker(head.body)
    var other = HTTPBodyTracker(head.body)
    let first = try? one.feed(rest)
    var consumed = 0
    var failed = false
    for byte in rest.indices where !other.isFinished && !failed {
        if let progress = try? other.feed(rest[byte...byte]) { consumed += progress.consumed } else { failed = true }
    }
    precondition((first == nil) == failed && (failed || first?.consumed == consumed), "chunks change the body")
    _ = HTTPResponseHead.read(input, isHead: false)
    if case .origin(let path) = head.target, let normal = try? RequestPath(path) {
        precondition((try? RequestPath(normal.description)) == normal, "the normal form is not stable")
    }
}

private func fuzzTLS(_ input: [UInt8]) {
    func parse(_ step: Int) -> TLSClientHelloParser.Progress {
        var parser = TLSClientHelloParser()
        var index = 0
        while index < input.count {
            let end = min(input.count, index + step)
            let progress = parser.feed(input[index..<end])
            if progress != .needsMore { return progress }
            index = end
        }
        return .needsMore
    }
    let whole = parse(max(1, input.count))
    precondition(whole == parse(1) && whole == parse(7), "chunks change the outcome")
}

private func fuzzDNS(_ input: [UInt8]) {
    guard let message = try? DNSMessage(wire: input) else { return }
    // Names come out uncompressed, so the second reading has to give the same message.
    guard let again = try? DNSMessage(wire: message.wire) else { preconditionFailure("what was written is not read") }
    precondition(again.questions == message.questions && again.answers == message.answers)
    _ = message.questions.map(\.name.description)
}

private func fuzzSquidLog(_ input: [UInt8]) {
    guard let line = try? SquidLogLine(input[...]) else { return }
    precondition(line.duration >= 0 && line.bytesReceived >= 0 && line.bytesSent >= 0 && line.status < 1000)
    _ = line.isRefused
}

private func fuzzHostName(_ input: [UInt8]) {
    if let name = try? HostName(wire: input) {
        precondition((try? HostName(wire: Array(name.text.utf8))) == name, "the normal form is not stable")
        precondition(IPAddress(disguised: name.text) == nil, "an address passed")
        precondition(name.text.utf8.count <= 253 && !name.text.hasSuffix("."))
    }
    let text = String(decoding: input, as: UTF8.self)
    if let name = try? HostName(text) { precondition(name.text.utf8.allSatisfy { $0 < 0x80 }) }
    if let pattern = try? HostPattern(text) { precondition((try? HostPattern(pattern.description)) == pattern) }
    _ = try? RequestPath(input)
    if let address = IPAddress(text) { precondition(IPAddress(address.description) == address) }
    _ = AddressRange(text)
}

/// A datagram as the kernel sends it, and what nft(8) keeps with a rule. Not the objects themselves: libnftnl ends the
/// process at attributes that no kernel sends, and with the holder the sandbox's cable.
private func fuzzNetlink(_ input: [UInt8]) {
    guard input.count >= 12 else { return }
    let sequence = input.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self) }
    _ = NetlinkReply.verdict(input[...], sequence: sequence)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: input.count, alignment: 8)
    defer { room.deallocate() }
    room.copyBytes(from: input)
    let bytes = UnsafeRawBufferPointer(room)
    let outcome = NftnlMessages.read(bytes, sequence: sequence) { header in
        guard let base = bytes.baseAddress else { preconditionFailure("a message of nothing") }
        let offset = base.distance(to: UnsafeRawPointer(header))
        precondition(offset >= 0 && offset + Int(header.pointee.nlmsg_len) <= bytes.count, "beyond the datagram")
    }
    _ = NftnlDecoder.comment(bytes)
    if case .failed(let number) = outcome { precondition(number != 0) }
}

/// What is taken for a question has nothing in it that would be read as another line, and says the same without what is ignored.
private func fuzzGitCredential(_ input: [UInt8]) {
    guard let request = GitCredentialRequest(input) else { return }
    var lines = request.capabilities.map { "capability[]=" + $0 }
    lines += ["protocol=" + request.scheme, "host=" + request.host]
    if let path = request.path { lines.append("path=" + path) }
    if let user = request.username { lines.append("username=" + user) }
    for line in lines {
        precondition(line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "a control character came through")
    }
    let again = Array((lines.joined(separator: "\n") + "\n\nhost=other\n").utf8)
    precondition(
        again.count > GitCredentialRequest.limit || GitCredentialRequest(again) == request, "the normal form differs")
    if request.isPlausible { precondition(request.scheme == "https" && request.host.utf8.allSatisfy { $0 < 0x80 }) }
}

/// Whatever the sentry sends is refused, or read within the bounds that the log relies on.
private func fuzzTrace(_ input: [UInt8]) {
    _ = TraceHandshake.accepts(input)
    guard let message = try? TraceMessage(input) else { return }
    switch message.point {
    case .start(let process), .execve(let process):
        precondition(process.arguments.count <= TraceMessage.keptArguments)
        precondition(process.arguments.reduce(0) { $0 + $1.count } <= TraceMessage.keptBytes)
        precondition(process.program.count <= TraceMessage.keptBytes && process.folder.count <= TraceMessage.keptBytes)
        precondition(process.furtherArguments <= input.count)
    case .exit, .other: break
    }
    precondition((try? TraceMessage(input)) == message)
}

/// The memory of a caller: two pages that the input fills over and over, with nothing around them; the first sixteen bytes are
/// where path and words begin. What is kept is bounded, whatever stands there.
private func fuzzCaller(_ input: [UInt8]) {
    guard input.count > 16 else { return }
    func address(_ start: Int) -> UInt64 { input[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    let content = Array(input[16...])
    let places: Range<UInt64> = 0x1000..<0x3000
    var reads = 0
    func memory(_ address: UInt64, _ room: UnsafeMutableRawBufferPointer) -> Int {
        reads += 1
        guard places.contains(address) else { return -Int(EFAULT) }
        let count = min(room.count, Int(places.upperBound - address))
        for index in 0..<count {
            room[index] = content[(Int(address - places.lowerBound) + index) % content.count]
        }
        return count
    }
    guard let words = try? CallerWords(path: address(0), words: address(8), in: memory) else {
        precondition(reads < 1000)
        return
    }
    precondition(words.path.count < CallerWords.longestPath && !words.path.contains(0))
    precondition(words.words.count <= TraceMessage.keptArguments && words.more >= 0)
    precondition(words.words.count + words.more <= CallerWords.counted)
    precondition(words.words.allSatisfy { $0.count <= TraceMessage.keptBytes + 1 } && reads < 1000)
}

/// An event stream of AWS, whole and byte by byte: the same messages, none longer than the limit, and no more than came.
private func fuzzFrames(_ input: [UInt8]) {
    let limit = 512
    func feed(_ parts: [ArraySlice<UInt8>]) -> (messages: [[UInt8]], isBroken: Bool) {
        var frames = EventFrames(limit: limit)
        var messages: [[UInt8]] = []
        for part in parts { frames.feed(part) { messages.append($0) } }
        return (messages, frames.isBroken)
    }
    let whole = feed([input[...]])
    let bytes = feed(input.indices.map { input[$0...$0] })
    precondition(whole.messages == bytes.messages && whole.isBroken == bytes.isBroken, "pieces change what is read")
    precondition(whole.messages.allSatisfy { $0.count <= limit - 16 })
    precondition(whole.messages.reduce(0) { $0 + $1.count + 16 } <= input.count)
}
