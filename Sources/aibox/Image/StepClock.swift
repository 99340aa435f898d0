import AiboxSystem

/// Tells a person which step a long piece of work is at and how long it has taken.
struct StepClock: Sendable {
    private let output: Output
    private let start = ContinuousClock.now

    init(_ output: Output) { self.output = output }

    func step(_ text: String) { output.note("\(seconds)  \(text)") }

    /// ` 12 s`, right-aligned.
    private var seconds: String {
        let text = String((ContinuousClock.now - start).components.seconds)
        return String(repeating: " ", count: max(0, 4 - text.count)) + text + " s"
    }
}
