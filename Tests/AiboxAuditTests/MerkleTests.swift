import AiboxCrypto
import AiboxSystem
import Testing

@testable import AiboxAudit

@Suite("Merkle trees and signed notes")
struct MerkleTests {
    /// The tree heads that Certificate Transparency's implementations agree on for these eight leaves.
    private static let leaves = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ]
    private static let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    private let hasher: MerkleHasher

    init() throws { hasher = try MerkleHasher() }

    private func leaf(_ number: Int) throws -> Digest256 {
        try Array("leaf \(number)".utf8).borrowed { (bytes) throws(AiboxError) in try hasher.leaf(bytes) }
    }

    /// The definition of RFC 6962, section 2.1, word by word.
    private func definition(_ leaves: [Digest256]) throws -> Digest256 {
        if leaves.isEmpty { return try SHA256.digest("") }
        if leaves.count == 1 { return leaves[0] }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        return try hasher.node(try definition(Array(leaves[..<split])), try definition(Array(leaves[split...])))
    }

    @Test("the roots are those of RFC 6962")
    func roots() throws {
        var tree = MerkleFrontier()
        #expect(try tree.root(hasher) == SHA256.digest(""))
        for (leaf, root) in zip(Self.leaves, Self.roots) {
            let bytes = try #require(Hex.decode(leaf))
            try tree.add(try bytes.borrowed { (bytes) throws(AiboxError) in try hasher.leaf(bytes) }, hasher)
            #expect(try tree.root(hasher).hex == root)
        }
    }

    @Test("for every size and leaf the proof leads to the root, and to no other from any other leaf, place or proof")
    func proofs() throws {
        var leaves: [Digest256] = []
        for size in 1...33 {
            leaves.append(try leaf(size))
            let root = try definition(leaves)
            for index in 0..<size {
                var builder = MerkleProofBuilder(index: UInt64(index), size: UInt64(size))
                for (position, leaf) in leaves.enumerated() { try builder.add(leaf, at: UInt64(position), hasher) }
                let proof = try builder.proof(hasher)
                func lead(_ leaf: Digest256, _ index: Int, _ size: Int, _ proof: [Digest256]) throws -> Digest256? {
                    try MerkleProofBuilder.root(
                        leaf: leaf, index: UInt64(index), size: UInt64(size), proof: proof, hasher)
                }
                #expect(try lead(leaves[index], index, size, proof) == root)
                #expect(try lead(leaf(1000), index, size, proof) != root)
                #expect(try lead(leaves[index], (index + 1) % (size + 1), size, proof) != root || size == 1)
                #expect(try lead(leaves[index], index, size, proof + [root]) == nil)
                if !proof.isEmpty { #expect(try lead(leaves[index], index, size, Array(proof.dropLast())) == nil) }
            }
        }
    }

    @Test("a note is read back as it was written, and its signatures hold for its text and key only")
    func note() throws {
        let seed = try SecretBytes([UInt8](repeating: 7, count: 32))
        let key = NoteKey(name: "example.com/log", publicKey: try Ed25519.publicKey(seed: seed))
        var note = SignedNote(text: "first\nsecond\n")
        try note.sign(as: key, seed: seed)
        let read = try #require(SignedNote(note.source))
        #expect(read == note)
        #expect(try read.isSigned(by: key))
        #expect(try NoteKey(key.text()) == key)
        #expect(try !read.isSigned(by: NoteKey(name: "example.com/other", publicKey: key.publicKey)))
        #expect(try !read.isSigned(by: NoteKey(name: key.name, publicKey: [UInt8](repeating: 1, count: 32))))
        var other = read
        other.text = "first\nsecond!\n"
        #expect(try !other.isSigned(by: key))
    }

    @Test(
        "the example of the signed-note specification's verifier keys reads and writes the same",
        arguments: [
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        ])
    func vkey(text: String) throws {
        let key = try #require(try NoteKey(text))
        #expect(try key.text() == text)
        #expect(try NoteKey(text.replacing("c74f20a3", with: "c74f20a4")) == nil)
    }

    @Test(
        "what is no note is refused",
        arguments: [
            "", "\n", "text\n", "text\n\n", "text\n\nno dash\n", "text\n\n\u{2014} name\n",
            "text\n\n\u{2014} name AAAA\n",
            "text\n\n\u{2014} name \n", "te\u{1}xt\n\n\u{2014} n AAAA\n", "text\n\n\u{2014} n AAAA",
        ])
    func noNote(text: String) { #expect(SignedNote(text) == nil) }
}
