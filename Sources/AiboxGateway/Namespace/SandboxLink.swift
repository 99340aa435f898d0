import AiboxNetwork
import AiboxSystem

/// The one cable of a sandbox: `box0` in the gateway's namespace, `eth0` in the sandbox's.
///
/// The pair of namespaces is the sandbox's own, so names, addresses and interface numbers are the same everywhere.
enum SandboxLink {
    static let gatewayName = "box0"
    static let boxName = "eth0"
    static let gatewayAddress = IPv4(10, 200, 1, 1)
    static let boxAddress = IPv4(10, 200, 1, 2)
    static let prefixLength: UInt8 = 24
    /// The sandbox's sshd.
    static let sshPort: UInt16 = 2222

    private static let loopbackIndex: UInt32 = 1
    /// Chosen by us at creation, on both sides, so that nothing has to be looked up.
    private static let linkIndex: UInt32 = 2
    private static let up: UInt32 = 1  // IFF_UP

    /// Lays the cable from the namespace of the sender to `box`; both ends stay down.
    ///
    /// - Parameter box: descriptor of the sandbox's namespace.
    static func lay(to box: Int32) -> NetlinkMessage {
        var message = NetlinkMessage(.newLink, [.create, .exclusive])
        message.appendLink(index: linkIndex)
        message.attribute(3, gatewayName)  // IFLA_IFNAME
        message.nested(18) { info in  // IFLA_LINKINFO
            info.attribute(1, Array("veth".utf8))  // IFLA_INFO_KIND
            info.nested(2) { data in  // IFLA_INFO_DATA
                data.nested(1) { peer in  // VETH_INFO_PEER
                    peer.appendLink(index: linkIndex)
                    peer.attribute(3, boxName)
                    peer.attribute(28, box)  // IFLA_NET_NS_FD
                }
            }
        }
        return message
    }

    /// The packet filter at the gateway's end.
    static func filter(_ ports: OpenPorts = OpenPorts()) -> FilterRuleset {
        FilterRuleset(
            interface: gatewayName, gateway: .v4(gatewayAddress.value), box: .v4(boxAddress.value), tcpPorts: ports.tcp,
            udpPorts: ports.udp, boxPorts: ports.box)
    }

    /// Switches the loopback interface on.
    static func loopbackUp() -> NetlinkMessage {
        var message = NetlinkMessage(.newLink)
        message.appendLink(index: loopbackIndex, flags: up)
        return message
    }

    /// Brings the gateway's end to life.
    static func gatewayEnd() -> [NetlinkMessage] { [address(gatewayAddress), linkUp()] }

    /// Takes the gateway's end down: nothing passes, whatever filters say. The other end loses its carrier and nothing else.
    static func cut() -> NetlinkMessage {
        var message = NetlinkMessage(.newLink)
        message.appendLink(index: linkIndex, flags: 0, mask: up)
        return message
    }

    /// Brings the sandbox's end to life; can be repeated whatever a runtime took away.
    static func boxEnd() -> [NetlinkMessage] { [address(boxAddress), linkUp(), defaultRoute()] }

    private static func linkUp() -> NetlinkMessage {
        var message = NetlinkMessage(.newLink)
        message.appendLink(index: linkIndex, flags: up)
        return message
    }

    private static func address(_ address: IPv4) -> NetlinkMessage {
        var message = NetlinkMessage(.newAddress, [.create, .replace])
        message.append(UInt8(2))  // AF_INET
        message.append(prefixLength)
        message.append(UInt16(0))  // flags, scope
        message.append(linkIndex)
        message.attribute(2, address.bytes)  // IFA_LOCAL
        message.attribute(1, address.bytes)  // IFA_ADDRESS
        return message
    }

    private static func defaultRoute() -> NetlinkMessage {
        var message = NetlinkMessage(.newRoute, [.create, .replace])
        message.append(UInt8(2))  // AF_INET
        message.append(UInt8(0))  // any destination
        message.append(UInt8(0))  // any source
        message.append(UInt8(0))  // any type of service
        message.append(UInt8(254))  // RT_TABLE_MAIN
        message.append(UInt8(3))  // RTPROT_BOOT, as ip(8) does
        message.append(UInt8(0))  // RT_SCOPE_UNIVERSE
        message.append(UInt8(1))  // RTN_UNICAST
        message.append(UInt32(0))  // flags
        message.attribute(5, gatewayAddress.bytes)  // RTA_GATEWAY
        message.attribute(4, linkIndex)  // RTA_OIF
        return message
    }
}
