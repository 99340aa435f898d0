import Glibc

/// The kernel's words for an error number: `No such file or directory`.
public func describe(errno number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    return String(cString: text)
}

/// Repeats a call that a signal interrupted, and turns -1 into the error `what`.
@discardableResult
public func retrying<Result: SignedInteger>(_ what: @autoclosure () -> String, _ call: () -> Result) throws(AiboxError)
    -> Result
{
    while true {
        let result = call()
        if result != -1 { return result }
        let number = errno
        if number != EINTR { throw .system(what(), errno: number) }
    }
}
