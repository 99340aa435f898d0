/// A file inside that tells a program what is set for the sandbox. Everybody inside may read it, nobody may write it.
struct SettingsFile: Equatable {
    /// Short: part of the name that the engine keeps it under.
    var purpose: String
    var text: String
    /// Where programs look for it.
    var target: String

    init(_ purpose: String, _ text: String, _ target: String) {
        (self.purpose, self.text, self.target) = (purpose, text, target)
    }
}
