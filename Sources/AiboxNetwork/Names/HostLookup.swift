public import AiboxSystem
import Glibc

/// Asks the host for the addresses of a name.
public enum HostLookup {
    public struct Failure: Error, Sendable, Equatable {
        /// The library's, lower case.
        public var words: String
    }

    /// getaddrinfo(3), so that whatever the host is set up with counts: files, name servers, their caches. Blocks.
    public static func addresses(of name: String) -> Result<[IPAddress], Failure> {
        var hints = addrinfo()
        hints.ai_socktype = 1  // SOCK_STREAM; its enumeration is out of sight beside libnftnl's headers
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(name, nil, &hints, &list)
        guard result == 0 else { return .failure(Failure(words: String(cString: gai_strerror(result)))) }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr.flatMap({ IPAddress(socketAddress: $0) }),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        return .success(addresses)
    }
}

extension IPAddress {
    /// From a sockaddr_in or sockaddr_in6; nil for another family.
    init?(socketAddress: UnsafePointer<sockaddr>) {
        let raw = UnsafeRawPointer(socketAddress)
        switch Int32(socketAddress.pointee.sa_family) {
        case AF_INET:
            let address = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            self = .v4(UInt32(bigEndian: address.s_addr))
        case AF_INET6:
            var address = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            guard let value = withUnsafeBytes(of: &address, { IPAddress(bytes: Array($0)) }) else { return nil }
            self = value
        default: return nil
        }
    }
}

/// The addresses of this machine (getifaddrs(3)): nothing that a name leads to may be one of them.
public enum HostAddresses {
    /// - Throws: if they cannot be read: without them no address is known to be somebody else's.
    public static func current() throws(AiboxError) -> [IPAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        let what = "cannot read this machine's addresses"
        guard getifaddrs(&list) == 0 else { throw .system(what, errno: errno) }
        defer { freeifaddrs(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ifa_addr.flatMap({ IPAddress(socketAddress: $0) }),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
            next = entry.pointee.ifa_next
        }
        return addresses
    }
}
