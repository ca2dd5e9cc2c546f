//! What one caller once could take from the others, each test named after its fault: by what it costs the process, and by
//! what another caller gets meanwhile.

use super::abuse::{DATA, END_HEADERS, HEADERS, Peer, call, frame, harm, header, pause};
use super::raw;

/// The head of a zstd frame that states a window of 2^28 bytes (`a8`) or of another size, and no content size.
fn zstd(window: u8) -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0, window]
}

/// The header of a zstd block: its kind, its size, and whether it is the last.
fn block(kind: u32, size: u32, last: bool) -> Vec<u8> {
    (size << 3 | kind << 1 | u32::from(last)).to_le_bytes()[..3].to_vec()
}

/// A frame of many blocks, each 128 KiB of one letter.
fn many_blocks(window: u8, blocks: u32) -> Vec<u8> {
    (1..=blocks).fold(zstd(window), |out, n| [out, block(1, 131_072, n == blocks), vec![b'a']].concat())
}

/// A frame of one block whose sequences repeat a letter 131,074 times each.
fn one_block(window: u8, sequences: u32) -> Vec<u8> {
    let literals = [&(1 | 3 << 2 | sequences << 4).to_le_bytes()[..3], b"a"].concat();
    // The number of sequences, then one symbol each for the lengths of literals (1), offsets (the last) and matches.
    let [low, high, ..] = sequences.to_le_bytes();
    let codes = [high + 128, low, 0x54, 1, 0, 52];
    let bits = [&vec![0xff; 2 * sequences as usize][..], &[1]].concat();
    let content = [&literals[..], &codes, &bits].concat();
    [zstd(window), block(2, u32::try_from(content.len()).unwrap(), true), content].concat()
}

/// Sends each as one message of a unary call, on a connection of its own.
fn send_packed(server: &str, messages: &[Vec<u8>]) {
    let headers = [call(raw::UNARY), header("grpc-encoding", "zstd")].concat();
    let mut peers = Vec::new();
    for message in messages {
        let mut peer = Peer::new(server);
        assert!(peer.send(&frame(HEADERS, END_HEADERS, 1, &headers)));
        let message = raw::bytes_frame(true, message);
        let parts = message.chunks(16_384).count();
        for (n, part) in message.chunks(16_384).enumerate() {
            assert!(peer.send(&frame(DATA, u8::from(n + 1 == parts), 1, part)));
        }
        peers.push(peer);
    }
    pause(std::time::Duration::from_millis(1_500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_zstd_takes_no_more_than_a_message_may_have() {
    let bombs = [many_blocks(0xa8, 2_100), many_blocks(0xa9, 6_000), many_blocks(0x60, 6_000), one_block(0x60, 4_000)];
    harm("zstd", &["--max-message-bytes", "64KiB", "--max-text-bytes", "48KiB"], move |server| {
        send_packed(server, &[&bombs[..], &bombs].concat());
    })
    .await;
}
