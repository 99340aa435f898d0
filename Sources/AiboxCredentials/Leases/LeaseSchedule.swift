/// What the keeper of one sandbox's leases has to do next. Decides, and does nothing itself.
struct LeaseSchedule: Sendable, Equatable {
    /// One credential that is lent.
    struct Item: Sendable, Equatable {
        var name: String
        /// Seconds since 1970 at which the policy ends it, whatever Vault says.
        var until: Double
        var kind: Kind
        /// When its entry is looked at again.
        var look: Double
        /// How often that went wrong since it last went right.
        var failures = 0

        enum Kind: Sendable, Equatable {
            /// With the lease's id.
            case dynamic(String, LeaseTerm)
            case fixed
        }
    }

    /// What has another in its place and is revoked a while later, so that what began with it can end.
    struct Retired: Sendable, Equatable {
        var id: String
        var end: Double
        var next: Double
        var failures = 0
    }

    enum Work: Sendable, Equatable {
        case renewToken
        /// Another login, and with it other leases.
        case replaceToken
        case renew(String)
        case replace(String)
        /// The lease has ended, and nothing took its place.
        case over(String)
        /// The policy's time is over.
        case end(String)
        /// Look whether its entry has changed.
        case look(String)
        /// A lease that was replaced.
        case revoke(String)
    }

    /// Of the login; nil: it does not end.
    var token: LeaseTerm?
    var items: [Item] = []
    var retired: [Retired] = []

    /// Seconds from one look at an entry to the next.
    static let pace: Double = 300
    /// Seconds for which a lease that was replaced lives on, as far as it would.
    static let grace: Double = 300

    /// The first thing that is due.
    func due(now: Double) -> Work? {
        if let item = items.first(where: { now >= $0.until }) { return .end(item.name) }
        switch token?.step(now: now) {
        case .renew: return .renewToken
        case .replace: return .replaceToken
        // Leases do not outlive their token; another login is tried as long as anything is lent.
        case .over where now >= (token?.next ?? 0): return .replaceToken
        case .over, nil: break
        }
        for item in items {
            switch item.kind {
            case .dynamic(_, let term):
                switch term.step(now: now) {
                case .renew: return .renew(item.name)
                case .replace: return .replace(item.name)
                case .over where now >= term.next: return .over(item.name)
                case .over, nil: break
                }
            case .fixed: break
            }
            if now >= item.look { return .look(item.name) }
        }
        return retired.first { now >= $0.next }.map { .revoke($0.id) }
    }

    /// When something is due; nil: never.
    var next: Double? {
        var times = items.map(\.until) + items.map(\.look) + retired.map(\.next)
        if let token { times.append(token.next) }
        for item in items {
            if case .dynamic(_, let term) = item.kind { times.append(term.next) }
        }
        return times.min()
    }

    subscript(name: String) -> Item? {
        get { items.first { $0.name == name } }
        set {
            let place = items.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let value?): items[place] = value
            case (let place?, nil): items.remove(at: place)
            case (nil, let value?): items.append(value)
            case (nil, nil): break
            }
        }
    }

    /// Puts a new lease in the place of the one before, which is revoked after the grace.
    mutating func put(_ id: String, _ term: LeaseTerm, for name: String, now: Double) {
        guard let item = self[name] else { return }
        if case .dynamic(let old, let before) = item.kind, old != id { retire(old, end: before.end, now: now) }
        self[name]?.kind = .dynamic(id, term)
    }

    mutating func retire(_ id: String, end: Double, now: Double) {
        retired.append(Retired(id: id, end: end, next: min(now + Self.grace, max(now, end - 1))))
    }

    /// What was made with it is still in use.
    mutating func postpone(_ id: String, now: Double) {
        guard let index = retired.firstIndex(where: { $0.id == id }) else { return }
        retired[index].next = now + 60
    }

    /// Seconds from a login to the next, if it seems to be gone: 1, 2, 4, ... minutes, at most an hour.
    static func lossPause(_ losses: Int) -> Double { min(3600, 60 * Double(1 << min(max(losses, 0), 6))) }

    /// Vault said no, or nothing, to a lease: later again.
    mutating func failed(_ name: String, now: Double, chance: Double) {
        guard case .dynamic(let id, var term)? = self[name]?.kind else { return }
        term.failed(now: now, chance: chance)
        self[name]?.kind = .dynamic(id, term)
    }

    /// Vault did not say what an entry holds: later again.
    mutating func failedToLook(_ name: String, now: Double, chance: Double) {
        guard let item = self[name] else { return }
        self[name]?.failures += 1
        self[name]?.look = now + LeaseTerm.pause(after: item.failures + 1, chance: chance)
    }

    /// The entry was looked at.
    mutating func looked(_ name: String, now: Double, chance: Double) {
        self[name]?.failures = 0
        self[name]?.look = now + Self.pace * (0.9 + 0.2 * chance)
    }

    /// All times are earlier by so many seconds: the clock was set back.
    mutating func setBack(by seconds: Double) {
        token?.setBack(by: seconds)
        for index in items.indices {
            items[index].until -= seconds
            items[index].look -= seconds
            if case .dynamic(let id, var term) = items[index].kind {
                term.setBack(by: seconds)
                items[index].kind = .dynamic(id, term)
            }
        }
        for index in retired.indices {
            retired[index].end -= seconds
            retired[index].next -= seconds
        }
    }

    /// Leases end with their token: with another login, all are made again now.
    mutating func renewAll(now: Double) {
        for index in items.indices {
            guard case .dynamic(let id, var term) = items[index].kind else { continue }
            // Where that went wrong just now, its pause holds.
            term.cannotBeRenewed(now: term.failures > 0 ? max(now, term.next) : now)
            items[index].kind = .dynamic(id, term)
        }
    }
}
