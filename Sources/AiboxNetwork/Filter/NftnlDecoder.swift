import CNftnl
import Glibc

/// Netlink messages of nf_tables as values, by libnftnl.
enum NftnlDecoder {
    static func table(_ header: UnsafePointer<nlmsghdr>) -> String? {
        guard let table = nftnl_table_alloc() else { return nil }
        defer { nftnl_table_free(table) }
        guard nftnl_table_nlmsg_parse(header, table) >= 0 else { return nil }
        let family = nftnl_table_get_u32(table, UInt16(NFTNL_TABLE_FAMILY.rawValue))
        return name(family, nftnl_table_get_str(table, UInt16(NFTNL_TABLE_NAME.rawValue)))
    }

    static func chain(_ header: UnsafePointer<nlmsghdr>) -> FilterSnapshot.Chain? {
        guard let chain = nftnl_chain_alloc() else { return nil }
        defer { nftnl_chain_free(chain) }
        guard nftnl_chain_nlmsg_parse(header, chain) >= 0 else { return nil }
        func number(_ attribute: nftnl_chain_attr) -> UInt32 { nftnl_chain_get_u32(chain, UInt16(attribute.rawValue)) }
        func text(_ attribute: nftnl_chain_attr) -> UnsafePointer<CChar>? {
            nftnl_chain_get_str(chain, UInt16(attribute.rawValue))
        }
        let isBase = nftnl_chain_is_set(chain, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue))
        return FilterSnapshot.Chain(
            table: name(number(NFTNL_CHAIN_FAMILY), text(NFTNL_CHAIN_TABLE)), name: string(text(NFTNL_CHAIN_NAME)),
            hook: isBase ? number(NFTNL_CHAIN_HOOKNUM) : nil,
            priority: nftnl_chain_get_s32(chain, UInt16(NFTNL_CHAIN_PRIO.rawValue)),
            policy: number(NFTNL_CHAIN_POLICY) == 0 ? "drop" : "accept")
    }

    static func rule(_ header: UnsafePointer<nlmsghdr>) -> FilterSnapshot.Rule? {
        guard let rule = nftnl_rule_alloc() else { return nil }
        defer { nftnl_rule_free(rule) }
        guard nftnl_rule_nlmsg_parse(header, rule) >= 0 else { return nil }
        let family = nftnl_rule_get_u32(rule, UInt16(NFTNL_RULE_FAMILY.rawValue))
        var size: UInt32 = 0
        let data = nftnl_rule_get_data(rule, UInt16(NFTNL_RULE_USERDATA.rawValue), &size)
        return FilterSnapshot.Rule(
            table: name(family, nftnl_rule_get_str(rule, UInt16(NFTNL_RULE_TABLE.rawValue))),
            chain: string(nftnl_rule_get_str(rule, UInt16(NFTNL_RULE_CHAIN.rawValue))),
            comment: comment(UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : Int(size))),
            expressions: expressions(rule))
    }

    /// nil for an object that is no counter.
    static func counter(_ header: UnsafePointer<nlmsghdr>) -> FilterSnapshot.Counter?? {
        guard let object = nftnl_obj_alloc() else { return nil }
        defer { nftnl_obj_free(object) }
        guard nftnl_obj_nlmsg_parse(header, object) >= 0 else { return nil }
        guard nftnl_obj_get_u32(object, UInt16(NFTNL_OBJ_TYPE)) == UInt32(NFT_OBJECT_COUNTER) else {
            return nil
        }
        let family = nftnl_obj_get_u32(object, UInt16(NFTNL_OBJ_FAMILY))
        return FilterSnapshot.Counter(
            table: name(family, nftnl_obj_get_str(object, UInt16(NFTNL_OBJ_TABLE))),
            name: string(nftnl_obj_get_str(object, UInt16(NFTNL_OBJ_NAME))),
            packets: nftnl_obj_get_u64(object, UInt16(NFTNL_OBJ_CTR_PKTS)),
            bytes: nftnl_obj_get_u64(object, UInt16(NFTNL_OBJ_CTR_BYTES)))
    }

    static func set(_ header: UnsafePointer<nlmsghdr>) -> NftnlSet? { NftnlSet(header) }

    static func elements(_ header: UnsafePointer<nlmsghdr>) -> [String]? {
        guard let set = nftnl_set_alloc() else { return nil }
        defer { nftnl_set_free(set) }
        guard nftnl_set_elems_nlmsg_parse(header, set) >= 0 else { return nil }
        let name = string(nftnl_set_get_str(set, UInt16(NFTNL_SET_NAME.rawValue)))
        var elements: [String] = []
        guard let iterator = nftnl_set_elems_iter_create(set) else { return nil }
        defer { nftnl_set_elems_iter_destroy(iterator) }
        while let element = nftnl_set_elems_iter_next(iterator) {
            elements.append(
                name + " "
                    + printed { nftnl_set_elem_snprintf($0, $1, element, UInt32(NFTNL_OUTPUT_DEFAULT.rawValue), 0) })
        }
        return elements.sorted()
    }

    private static func expressions(_ rule: OpaquePointer) -> [String] {
        var found: [String] = []
        guard let iterator = nftnl_expr_iter_create(rule) else { return found }
        defer { nftnl_expr_iter_destroy(iterator) }
        while let expression = nftnl_expr_iter_next(iterator) {
            let kind = string(nftnl_expr_get_str(expression, UInt16(NFTNL_EXPR_NAME)))
            let text = printed {
                nftnl_expr_snprintf($0, $1, expression, UInt32(NFTNL_OUTPUT_DEFAULT.rawValue), 0)
            }
            found.append(kind + " " + text)
        }
        return found
    }

    private static func printed(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { room in
            let size = body(room.baseAddress, room.count)
            guard size > 0 else { return "" }
            let bytes = room.prefix(min(Int(size), room.count - 1)).map(UInt8.init(bitPattern:))
            return String(decoding: bytes, as: UTF8.self).trimmingSpaces
        }
    }

    /// Type, length, value, as nft(8) stores them (libnftnl, udata.h); type 0 is the comment.
    static func comment(_ bytes: UnsafeRawBufferPointer) -> String? {
        var index = 0
        while index + 2 <= bytes.count {
            let size = Int(bytes[index + 1])
            guard index + 2 + size <= bytes.count else { return nil }
            if bytes[index] == 0 {
                let text = bytes[(index + 2)..<(index + 2 + size)].prefix { $0 != 0 }
                return String(decoding: text, as: UTF8.self)
            }
            index += 2 + size
        }
        return nil
    }

    private static func string(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

    static func name(_ family: UInt32, _ table: UnsafePointer<CChar>?) -> String {
        let families: [UInt32: String] = [1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"]
        return (families[family] ?? "family\(family)") + " " + string(table)
    }
}

/// A set, as the request for its elements names it.
final class NftnlSet {
    private let pointer: OpaquePointer

    init?(_ header: UnsafePointer<nlmsghdr>) {
        guard let pointer = nftnl_set_alloc() else { return nil }
        self.pointer = pointer
        if nftnl_set_nlmsg_parse(header, pointer) < 0 { return nil }
    }

    deinit { nftnl_set_free(pointer) }

    func write(to header: UnsafeMutablePointer<nlmsghdr>) {
        let family = nftnl_set_get_u32(pointer, UInt16(NFTNL_SET_FAMILY.rawValue))
        mnl_nlmsg_get_payload(header)?.assumingMemoryBound(to: nfgenmsg.self).pointee.nfgen_family = UInt8(family)
        nftnl_set_elems_nlmsg_build_payload(header, pointer)
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var view = self[...]
        while view.last == " " || view.last == "\n" { view.removeLast() }
        return String(view)
    }
}
