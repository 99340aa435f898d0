import NIOCore

extension ByteBuffer {
    /// What is unread of this one, then the piece, in a fresh buffer.
    ///
    /// A buffer that is written on while its beginning is read never lets go of what was read: it grows, and is copied, with
    /// the whole stream.
    func followed(by piece: ByteBuffer) -> ByteBuffer {
        if readableBytes == 0 { return piece }
        var whole = ByteBufferAllocator().buffer(capacity: readableBytes + piece.readableBytes)
        whole.writeImmutableBuffer(self)
        whole.writeImmutableBuffer(piece)
        return whole
    }
}
