/// Why a support function refused its input, in OPA's words but without the built-in's name.
struct SupportError: Error, Equatable, Sendable {
    enum Kind: Sendable {
        /// Malformed input: `eval_builtin_error`.
        case invalid
        /// An operand of a wrong kind: `eval_type_error`.
        case type
        /// Input over one of our size limits.
        case limit
    }

    let kind: Kind
    let message: String

    static func invalid(_ message: String) -> SupportError { SupportError(kind: .invalid, message: message) }
    static func type(_ message: String) -> SupportError { SupportError(kind: .type, message: message) }
    static func limit(_ message: String) -> SupportError { SupportError(kind: .limit, message: message) }
}

/// UTF-8 text as the hot functions take it.
typealias Bytes = UnsafeBufferPointer<UInt8>

extension String {
    /// Runs `body` on the UTF-8 bytes; without a copy for native strings.
    @inline(__always)
    func withBytes<Result, Failure: Error>(_ body: (Bytes) throws(Failure) -> Result) throws(Failure) -> Result {
        if let result = try utf8.withContiguousStorage(body) { return result }
        let copy = Array(utf8)
        return try copy.withBytes(body)
    }
}

extension Array<UInt8> {
    @inline(__always)
    func withBytes<Result, Failure: Error>(_ body: (Bytes) throws(Failure) -> Result) throws(Failure) -> Result {
        // The standard library's own method does not carry typed errors through.
        var outcome: Swift.Result<Result, Failure>?
        withUnsafeBufferPointer { bytes in
            do throws(Failure) { outcome = .success(try body(bytes)) } catch { outcome = .failure(error) }
        }
        switch outcome {
        case .success(let value)?: return value
        case .failure(let error)?: throw error
        case nil: preconditionFailure("withUnsafeBufferPointer runs its body")
        }
    }
}

extension String.UTF8View {
    @inline(__always)
    func withContiguousStorage<Result, Failure: Error>(
        _ body: (Bytes) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        var failure: Failure?
        let result: Result?? = withContiguousStorageIfAvailable { bytes in
            do throws(Failure) { return try body(bytes) } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        return result ?? nil
    }
}
