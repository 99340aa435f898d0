import Dispatch
import Synchronization

/// Work that waits for other programs, done side by side on threads of its own.
public enum Parallel {
    /// Runs every piece at once and returns what became of each.
    public static func settle<Value: Sendable>(_ work: [@Sendable () throws(AiboxError) -> Value])
        -> [Result<Value, AiboxError>]
    {
        let results = Mutex<[Int: Result<Value, AiboxError>]>([:])
        DispatchQueue.concurrentPerform(iterations: work.count) { index in
            let result: Result<Value, AiboxError>
            do throws(AiboxError) { result = .success(try work[index]()) } catch { result = .failure(error) }
            results.withLock { $0[index] = result }
        }
        return results.withLock { all in work.indices.compactMap { all[$0] } }
    }

    /// Applies `transform` to every element at once; the results in order.
    public static func map<Element: Sendable, Value: Sendable>(
        _ elements: [Element], _ transform: @Sendable (Element) -> Value
    ) -> [Value] {
        let results = Mutex<[Int: Value]>([:])
        DispatchQueue.concurrentPerform(iterations: elements.count) { index in
            let value = transform(elements[index])
            results.withLock { $0[index] = value }
        }
        return results.withLock { all in elements.indices.compactMap { all[$0] } }
    }

    /// Two different things at once.
    public static func both<First: Sendable, Second: Sendable>(
        _ first: @Sendable () throws(AiboxError) -> First, _ second: @Sendable () throws(AiboxError) -> Second
    ) throws(AiboxError) -> (First, Second) {
        let left = Mutex<Result<First, AiboxError>?>(nil)
        let right = Mutex<Result<Second, AiboxError>?>(nil)
        DispatchQueue.concurrentPerform(iterations: 2) { index in
            if index == 0 {
                let result: Result<First, AiboxError>
                do throws(AiboxError) { result = .success(try first()) } catch { result = .failure(error) }
                left.withLock { $0 = result }
            } else {
                let result: Result<Second, AiboxError>
                do throws(AiboxError) { result = .success(try second()) } catch { result = .failure(error) }
                right.withLock { $0 = result }
            }
        }
        guard let left = left.withLock({ $0 }), let right = right.withLock({ $0 }) else {
            throw AiboxError(.failed, "a piece of parallel work did not finish")
        }
        return (try left.get(), try right.get())
    }
}
