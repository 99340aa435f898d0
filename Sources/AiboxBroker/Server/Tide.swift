/// How much there is of something, and the most there was since it ebbed last.
struct Tide {
    private(set) var now = 0
    private var most = 0

    /// - Returns: false where there is no room for so much.
    mutating func rise(by count: Int, to limit: Int) -> Bool {
        guard count <= limit - now else { return false }
        now += count
        most = max(most, now)
        return true
    }

    /// - Returns: true where it ebbed: it had been as high as the mark, and three quarters of it are gone.
    mutating func fall(by count: Int, below mark: Int) -> Bool {
        now -= count
        guard most >= mark, now <= most / 4 else { return false }
        most = now
        return true
    }
}
