// Changes an encrypted file until it is killed, and says on standard output which changes are done: what the tests of
// crashes run and kill.
//
//     AiboxCredentialsWriter FILE KEY FIRST
//
// Change N of the credential git-token:w.example removes it where N is 3, 7, 11, ..., else its secret is `value N` from then on.

import AiboxCredentials
import AiboxSystem
import Glibc

let arguments = CommandLine.arguments
guard arguments.count == 4, var number = Int(arguments[3]) else { exit(64) }

func say(_ line: String) { _ = (line + "\n").withCString { write(STDOUT_FILENO, $0, strlen($0)) } }

do {
    let store = EncryptedFileStore(path: arguments[1], keyPath: arguments[2]) { (_) throws(AiboxError) in
        throw AiboxError(.failed, "nobody may be asked")
    }
    let name = try CredentialName("git-token:w.example")
    while true {
        if number % 4 == 3 {
            _ = try store.remove(name)
        } else {
            try store.write(StoredCredential(try Credential(name), try Secret("value \(number)")))
        }
        say("\(number)")
        number += 1
    }
} catch {
    say("error \(error)")
    exit(1)
}
