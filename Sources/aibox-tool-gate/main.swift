// Stands in a sandbox in the place of programs that rules of the policy name: asks the gateway, and becomes the program or
// refuses. Whatever goes wrong refuses.
import AiboxWire
import Glibc

/// The gateway of every sandbox, as the sandbox sees it.
let gateway: UInt32 = 0x0AC8_0101  // 10.200.1.1
/// From the question to the answer. What waits longer is refused.
let patience: Int64 = 15_000

/// Refused, or not to be executed: what shells say by the same status.
let refused: Int32 = 126

func say(_ line: String) {
    let bytes = Array("aibox: \(line)\n".utf8)
    write(STDERR_FILENO, bytes, bytes.count)
}

func fail(_ why: String) -> Never {
    say("\(name) is refused: \(why)")
    say("without the gateway's word nothing runs that a rule names")
    exit(refused)
}

func milliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// What a link of /proc says; empty if it cannot be told.
func link(_ path: String) -> String {
    var room = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &room, room.count)
    return count > 0 ? String(decoding: room[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
}

/// Waits until the socket is ready, or refuses.
func wait(_ socket: Int32, _ events: Int32, until deadline: Int64) {
    while true {
        var entry = pollfd(fd: socket, events: Int16(events), revents: 0)
        let left = deadline - milliseconds()
        if left <= 0 { fail("the gateway does not answer") }
        let ready = poll(&entry, 1, Int32(left))
        if ready > 0 { return }
        if ready < 0, errno != EINTR { fail("cannot wait for the gateway") }
    }
}

/// Connects, asks, reads to the end of the connection.
func exchange(_ request: [UInt8]) -> [UInt8] {
    let deadline = milliseconds() + patience
    let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let socket = socket(AF_INET, flags, 0)
    if socket < 0 { fail("cannot make a socket") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = ToolQuestion.port.bigEndian
    address.sin_addr.s_addr = gateway.bigEndian
    let connected = withUnsafeBytes(of: &address) {
        connect(socket, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
    }
    if connected != 0 {
        if errno != EINPROGRESS { fail("cannot reach the gateway") }
        wait(socket, POLLOUT, until: deadline)
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        if getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0 {
            fail("cannot reach the gateway")
        }
    }
    var sent = 0
    while sent < request.count {
        let count = request.withUnsafeBytes { bytes in
            bytes.baseAddress.map { send(socket, $0 + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) } ?? -1
        }
        if count > 0 {
            sent += count
        } else if errno == EAGAIN {
            wait(socket, POLLOUT, until: deadline)
        } else if errno != EINTR {
            fail("the gateway hung up")
        }
    }
    var answer: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 8192)
    while answer.count <= ToolQuestion.answerLimit {
        wait(socket, POLLIN, until: deadline)
        let count = recv(socket, &room, room.count, 0)
        if count > 0 {
            answer += room[..<count]
        } else if count == 0 {
            close(socket)
            return answer
        } else if errno != EAGAIN, errno != EINTR {
            fail("the gateway hung up")
        }
    }
    fail("the gateway says more than is read")
}

/// The answer, if it is one: its status and its body have to agree.
func answer(_ bytes: [UInt8]) -> ToolAnswer? {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let isAllowed = bytes.starts(with: "HTTP/1.1 200 ".utf8)
    guard isAllowed || bytes.starts(with: "HTTP/1.1 403 ".utf8),
        let answer = try? ToolAnswer(json: try JSONParser.parse(bytes[end.upperBound...]))
    else { return nil }
    return isAllowed == (answer.run != nil) ? answer : nil
}

let words = CommandLine.arguments
let program = link("/proc/self/exe")
let name = program.split(separator: "/").last.map(String.init) ?? "the program"
let question = ToolQuestion(
    program: program, argv: words.isEmpty ? [program] : words, directory: link("/proc/self/cwd"))
let body = question.json.bytes
if body.count > ToolQuestion.bodyLimit { fail("its command line is longer than \(ToolQuestion.bodyLimit) bytes") }
let head = """
    POST \(ToolQuestion.path) HTTP/1.1\r
    Host: 10.200.1.1:\(ToolQuestion.port)\r
    Content-Type: application/json\r
    Content-Length: \(body.count)\r
    Connection: close\r
    \r\n
    """
guard let decided = answer(exchange(Array(head.utf8) + body)) else { fail("the gateway's answer is not understood") }
guard let path = decided.run else {
    say("\(name) is refused: \(decided.reason)")
    say("rule \(decided.rule), \(decided.layer) policy")
    for step in decided.nextSteps { say(step) }
    exit(refused)
}
// Its words and its environment as they came, byte by byte.
execve(path, CommandLine.unsafeArgv, environ)
fail("it was allowed, and cannot be executed (error \(errno))")
