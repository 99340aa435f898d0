import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxAudit

@Suite("Sealed files")
struct ArchiveTests {
    private let fixture: LogFixture
    private var folder: String { fixture.folder.path + "/archive" }

    init() throws { fixture = try LogFixture() }

    @discardableResult
    private func seal(_ store: any ArchiveStore, rotating: Bool = true, now: Timestamp = .now) throws
        -> AuditArchive.Sealed
    {
        try AuditArchive(store).seal(
            log: fixture.log, context: LogFixture.context, options: fixture.options(segmentBytes: 4000),
            rotating: rotating, now: now)
    }

    private func verify(_ store: any ArchiveStore) throws -> AuditArchive.Verification {
        try AuditArchive(store).verify(key: try File.text(fixture.files.identity))
    }

    /// What a copied file that root made immutable needs before a test can damage it.
    private func open(_ name: String) throws {
        _ = try SystemCommandRunner().run(Command("chattr", ["-i", folder + "/" + name]))
    }

    @Test("every event is sealed once, in files that are read-only, and all of it reads back")
    func sealing() throws {
        let store = FolderStore(folder: folder)
        try fixture.write(0..<30, fixture.options(segmentBytes: 4000))
        let first = try seal(store)
        #expect(first.files.count > 3 && first.known == 0)
        try fixture.write(30..<60, fixture.options(segmentBytes: 4000))
        let second = try seal(store)
        #expect(second.known == first.files.count && !second.files.isEmpty)
        let result = try verify(store)
        #expect(result.findings == [])
        #expect(result.first == 1)
        // All but the event that began the newest file.
        #expect(result.last == (try fixture.verify().events) - 1)
        #expect(try fixture.verify().finding == nil)
        for name in try store.names() {
            var status = stat()
            #expect(stat(folder + "/" + name, &status) == 0 && status.st_mode & 0o777 == 0o444, "\(name)")
        }
        // Nothing new: nothing is rotated, nothing is sealed.
        #expect(try seal(store).files.isEmpty)
        try clear()
    }

    /// Lets the test's folder be removed.
    private func clear() throws {
        for name in try FolderStore(folder: folder).names() { try open(name) }
    }

    @Test("a changed, missing, foreign or renamed file is found and named")
    func damage() throws {
        let store = FolderStore(folder: folder)
        try fixture.write(0..<30, fixture.options(segmentBytes: 4000))
        try seal(store)
        try clear()
        let files = try store.names().filter { $0.hasSuffix(".jsonl") }
        let target = files[1]
        let original = try File.read(folder + "/" + target)
        for index in stride(from: 0, to: original.count, by: 97) {
            var changed = original
            changed[index] ^= 1
            try File.replace(folder + "/" + target, with: changed)
            #expect(try verify(store).findings.contains { $0.contains(target) }, "byte \(index)")
        }
        try File.remove(folder + "/" + target)
        #expect(try verify(store).findings == ["\(target) is missing"])
        try File.replace(folder + "/" + target, with: original)
        let manifest = try File.read(folder + "/" + target + ".manifest")
        for index in manifest.indices {
            var changed = manifest
            changed[index] ^= 1
            try File.replace(folder + "/" + target + ".manifest", with: changed)
            #expect(try !verify(store).findings.isEmpty, "byte \(index) of the manifest")
        }
        try File.remove(folder + "/" + target + ".manifest")
        #expect(try verify(store).findings.count == 2)
        try File.replace(folder + "/" + target + ".manifest", with: manifest)
        #expect(try verify(store).findings == [])
        let other = try LogFixture()
        try other.write(0..<1)
        let strange = try AuditArchive(store).verify(key: try File.text(other.files.identity))
        #expect(strange.findings.count == 1)
    }

    @Test("what is kept cannot be replaced or removed before its time, and can afterwards")
    func retention() throws {
        let store = FolderStore(folder: folder)
        try fixture.write(0..<30, fixture.options(segmentBytes: 4000))
        let now = Timestamp(seconds: 1_800_000_000)
        let name = try #require(try seal(store, now: now).files.first)
        let archive = AuditArchive(store)
        let later = Timestamp(seconds: now.seconds + 729 * 86_400)
        do throws(AiboxError) {
            try archive.remove(name, now: later)
            Issue.record("removed before its time")
        } catch {
            #expect(error.code == .denied)
        }
        let other = try File.read(fixture.files.identity) + [0x0a]
        try File.replace(fixture.folder.path + "/other", with: other)
        #expect(throws: AiboxError.self) { try store.put(name, fixture.folder.path + "/other", until: now) }
        try archive.remove(name, now: Timestamp(seconds: now.seconds + 731 * 86_400))
        #expect(try !store.names().contains(name))
        try clear()
    }

    @Test("an interrupted sealing is gone on with")
    func interrupted() throws {
        let store = FolderStore(folder: folder)
        try fixture.write(0..<30, fixture.options(segmentBytes: 4000))
        try seal(store)
        try clear()
        let names = try store.names().filter { $0.hasSuffix(".manifest") }
        for name in names.dropFirst() { try File.remove(folder + "/" + name) }
        #expect(try !verify(store).findings.isEmpty)
        #expect(try seal(store).files.count == names.count - 1)
        #expect(try verify(store).findings == [])
        try clear()
    }

    // MARK: S3

    @Test("the signature is that of the published example")
    func signature() throws {
        // docs.aws.amazon.com, "Signature Calculations for the Authorization Header", GET Object.
        let signature = S3Signature(
            keyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region: "us-east-1")
        let headers = try signature.headers(
            "GET", host: "examplebucket.s3.amazonaws.com", path: "/test.txt", query: "",
            headers: [("Range", "bytes=0-9")], body: [], at: Timestamp(seconds: 1_369_353_600))
        let authorization = headers.first { $0.0 == "authorization" }?.1
        #expect(
            authorization?.hasSuffix("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") == true,
            "\(authorization ?? "")")
    }

    @Test(
        "a bucket with object lock takes every file, large ones in parts, goes on after an interruption, and refuses removal"
    )
    func bucket() throws {
        let server = try MotoServer(fixture.folder.path)
        let store = try server.store(partBytes: 5 << 20)
        let large = AuditEvent(
            .falcoAlert, subject: "large", details: ["output": .string(String(repeating: "x", count: 60_000))])
        let log = try fixture.open()
        for _ in 0..<110 { try log.append([AuditEvent](repeating: large, count: 2)) }
        try log.close()
        // An upload that stopped after its first part.
        try server.python(
            """
            up = s3.create_multipart_upload(Bucket="sealed", Key="log/events-0000000000000001.jsonl",
                ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=datetime.datetime(2040, 1, 1))
            body = open(sys.argv[1], "rb").read()[:5 << 20]
            s3.upload_part(Bucket="sealed", Key=up["Key"], UploadId=up["UploadId"], PartNumber=1, Body=body)
            """, fixture.files.path(segment: 1))
        let sealed = try AuditArchive(store).seal(
            log: fixture.log, context: LogFixture.context, options: fixture.options(), rotating: true)
        #expect(sealed.files.count == 1)
        let result = try verify(store)
        #expect(result.findings == [])
        #expect(result.bytes > 12 << 20)
        let told = try server.python(
            """
            print(sorted(o["Key"] for o in s3.list_objects_v2(Bucket="sealed")["Contents"]))
            held = s3.head_object(Bucket="sealed", Key="log/log.pub")
            print(held["ObjectLockMode"], held["ObjectLockRetainUntilDate"].year > 2026)
            print(len(s3.list_multipart_uploads(Bucket="sealed").get("Uploads", [])))
            """)
        #expect(told.contains("log/events-0000000000000001.jsonl.manifest"))
        #expect(told.contains("COMPLIANCE True"))
        #expect(told.hasSuffix("\n0"))
        #expect(
            try AuditArchive(store).seal(
                log: fixture.log, context: LogFixture.context, options: fixture.options(), rotating: false
            ).files.isEmpty)
        // The bucket itself refuses, also whoever asks it past aibox.
        do throws(AiboxError) {
            try store.remove("log.pub")
            Issue.record("a locked object was removed")
        } catch {
            #expect(error.code == .denied, "\(error)")
        }
        #expect(try store.names().contains("log.pub"))
        try File.replace(fixture.folder.path + "/other", with: "other")
        #expect(throws: AiboxError.self) {
            try store.put("log.pub", fixture.folder.path + "/other", until: .now)
        }
    }
}
