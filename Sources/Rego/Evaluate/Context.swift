import Synchronization

/// A step of a plan: goes on to the rest of its body, and says whether enumeration is to go on.
typealias Run = (Context) -> Bool
/// Computes a value; `undefined` where there is none.
typealias Eval = (Context) -> Value
/// Matches a value against a pattern, storing what the pattern binds.
typealias Match = (Context, Value) -> Bool
/// Takes each value that a reference yields.
typealias Sink = (Context, Value) -> Bool

// Closures that go into arrays, optionals or shared cells are put into types of their own: as elements of generic
// types they would be wrapped in conversions at every step of an evaluation.

struct Evaluator {
    let eval: Eval
    init(_ eval: @escaping Eval) { self.eval = eval }
}

struct Matcher {
    let match: Match
    init(_ match: @escaping Match) { self.match = match }
}

/// Given the rest of the body, the step.
struct Builder {
    let build: (@escaping Run) -> Run
    init(_ build: @escaping (@escaping Run) -> Run) { self.build = build }
}

/// The end of a body, known only after the body has been planned.
final class Ending {
    var run: Run = { _ in true }
}

/// What `with` may replace: input, data, functions; and the caches that depend on them.
final class Scope {
    let parent: Scope?
    let input: Value
    let data: Value
    /// Ids of tree nodes that a replaced document hides; nil if none.
    let hidden: Set<Int>?
    /// Replacements of functions, by `FunctionKey`; nil if none.
    let mocks: [FunctionKey: Mock]?
    let cache: UnsafeMutablePointer<Value>
    let cached: UnsafeMutablePointer<Bool>
    let size: Int
    /// Calls of each function that is worth remembering, and what they gave once there are many.
    var calls: [Int: Int] = [:]
    var results: [FunctionCall: Value] = [:]

    init(parent: Scope?, input: Value, data: Value, hidden: Set<Int>?, mocks: [FunctionKey: Mock]?, size: Int) {
        self.parent = parent
        self.input = input
        self.data = data
        self.hidden = hidden
        self.mocks = mocks
        self.size = size
        cache = .allocate(capacity: max(size, 1))
        cached = .allocate(capacity: max(size, 1))
        cache.initialize(repeating: .undefined, count: size)
        cached.initialize(repeating: false, count: size)
    }

    deinit {
        cache.deinitialize(count: size)
        cache.deallocate()
        cached.deallocate()
    }
}

enum FunctionKey: Hashable {
    case builtin(Int)
    case function(Int)
}

struct FunctionCall: Hashable {
    let function: Int
    let arguments: [Value]
}

enum Mock {
    case value(Value)
    case builtin(Int)
    case function(RuleSet)
}

/// The state of one evaluation: frames of variables, the current scope, budgets, the error.
///
/// Used by one thread at a time; the plans themselves are immutable and shared.
final class Context {
    static let frameCapacity = 1 << 16

    /// The variables of the rule that is being evaluated.
    var frame: UnsafeMutablePointer<Value>
    var top: UnsafeMutablePointer<Value>
    let bottom: UnsafeMutablePointer<Value>
    let limit: UnsafeMutablePointer<Value>

    var scope: Scope
    var input: Value
    var data: Value
    var mocks: [FunctionKey: Mock]?
    var hidden: Set<Int>?

    var failed = false
    var error: RegoError?
    /// Set by the end of a body that only has to be satisfiable.
    var matched = false
    /// What the innermost comprehension or partial rule has collected.
    var items: [Value] = []

    /// Steps left until the next look at clock and flag.
    var ticks: Int = 0
    private var granted: Int = 0
    var stepsLeft: Int = 0
    var bytesLeft: Int = 0
    /// Addresses below this are too deep in the stack.
    var stackLimit: UInt = 0
    var deadline: ContinuousClock.Instant?
    var cancellation: Cancellation?
    var strict = false

    let program: Program
    /// Per-evaluation memory of built-ins that must answer alike within one query.
    var memory = BuiltinMemory()
    var probe: Probe?

    init(program: Program, input: Value, data: Value, limits: Limits) {
        self.program = program
        bottom = program.frames.take(Context.frameCapacity)
        frame = bottom
        top = bottom
        limit = bottom + Context.frameCapacity
        self.input = input
        self.data = data
        scope = Scope(parent: nil, input: input, data: data, hidden: nil, mocks: nil, size: program.ruleSets.count)
        stepsLeft = limits.steps
        bytesLeft = limits.bytes
        if let time = limits.time { deadline = ContinuousClock.now + time }
        var marker = 0
        let here = withUnsafePointer(to: &marker) { UInt(bitPattern: $0) }
        stackLimit = here > UInt(limits.stack) ? here - UInt(limits.stack) : 0
        refill()
    }

    deinit { program.frames.put(bottom) }

    // MARK: - Scope

    func enter(_ scope: Scope) {
        self.scope = scope
        input = scope.input
        data = scope.data
        mocks = scope.mocks
        hidden = scope.hidden
    }

    // MARK: - Frames

    /// Opens a frame of `count` undefined variables; false if there is no room.
    @inline(__always)
    func push(_ count: Int) -> Bool {
        if limit - top < count + 16 { return fail(.limit, "evaluation is nested too deeply", .none) }
        top.initialize(repeating: .undefined, count: count)
        frame = top
        top += count
        return true
    }

    @inline(__always)
    func pop(_ count: Int, _ previous: UnsafeMutablePointer<Value>) {
        top -= count
        top.deinitialize(count: count)
        frame = previous
    }

    // MARK: - Errors and budgets

    /// Ends the evaluation with an error. Always false, so that a step can return it.
    @discardableResult
    @inline(never)
    func fail(_ code: RegoError.Code, _ message: String, _ location: Location) -> Bool {
        if !failed {
            failed = true
            error = program.error(code, message, location)
        }
        return false
    }

    /// Counts one step; false if the budget ran out or the evaluation was cancelled.
    @inline(__always)
    func step() -> Bool {
        ticks &-= 1
        return ticks > 0 || look()
    }

    /// Counts several steps at once.
    @inline(__always)
    func spend(_ steps: Int) -> Bool {
        ticks &-= steps
        return ticks > 0 || look()
    }

    @inline(never)
    private func look() -> Bool {
        if failed { return false }
        stepsLeft -= granted - ticks
        if stepsLeft <= 0 { return fail(.limit, "evaluation took too many steps", .none) }
        if let deadline, ContinuousClock.now > deadline {
            return fail(.cancelled, "caller cancelled query execution: time limit", .none)
        }
        if let cancellation, cancellation.isCancelled {
            return fail(.cancelled, "caller cancelled query execution", .none)
        }
        refill()
        return true
    }

    private func refill() {
        granted = min(1024, max(stepsLeft, 1))
        ticks = granted
    }

    /// Counts memory; false if the budget ran out.
    @inline(__always)
    func charge(_ bytes: Int) -> Bool {
        bytesLeft &-= bytes
        return bytesLeft > 0 || fail(.limit, "evaluation used too much memory", .none)
    }

    /// Whether the native stack has room for one more rule.
    @inline(__always)
    func hasStack() -> Bool {
        var marker: UInt8 = 0
        let here = withUnsafePointer(to: &marker) { UInt(bitPattern: $0) }
        return here > stackLimit || fail(.limit, "evaluation is nested too deeply", .none)
    }
}

/// Stops an evaluation from another thread.
public final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    public func cancel() { flag.store(true, ordering: .relaxed) }
    public var isCancelled: Bool { flag.load(ordering: .relaxed) }
}

/// The budgets of one evaluation.
public struct Limits: Sendable {
    /// Elements visited and rules evaluated.
    public var steps = 20_000_000
    /// Bytes of values made, roughly.
    public var bytes = 1 << 28
    /// Wall clock; nil for no limit.
    public var time: Duration?
    /// Bytes of native stack an evaluation may use; must leave room on the calling thread.
    public var stack = 400_000
    /// JSON documents with more bytes are not read.
    public static let inputBytes = 1 << 28

    public init() {}
}
