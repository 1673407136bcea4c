// The Kernel contract, sockets and receive buffers. Included by kernel_contract.hpp only.
//
// Journey:  kernel_contract.hpp -> [cases].   Shard: one.   Promise: see op.hpp.   Failure: a failed
// expectation.
#pragma once

#include <cerrno>

#include "tests/core/kernel/kernel_contract.hpp"

namespace penstock::core {

TEST_P(KernelContract, bytes_go_both_ways_over_a_connection) {
  const int listener = listen();
  ASSERT_GE(listener, 0);
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  ASSERT_GE(connection, 0);
  peer->send("ping");
  {
    CountedOp op(recv(connection, BufferRing::Head));
    EXPECT_EQ(run(op), 4);
    EXPECT_EQ(text_of(op.buffer), "ping");
  }
  EXPECT_EQ(send(connection, "pong"), 4);
  std::string got;
  EXPECT_TRUE(pump_until([&] { return (got += peer->receive()).size() >= 4; }));
  EXPECT_EQ(got, "pong");
  EXPECT_EQ(run(Op{.kind = OpKind::Shutdown, .handle = connection}), 0);
  EXPECT_TRUE(pump_until([&] { return peer->receive().empty() && peer->is_ended(); }));
  EXPECT_EQ(close(connection), 0);
  EXPECT_EQ(close(listener), 0);
}

// Not for bodies that are decoded where they lie: for what must not wait for a buffer of the ring.
TEST_P(KernelContract, a_recv_into_memory_of_its_own_needs_no_ring_and_is_cancelled_like_any) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  ASSERT_GE(connection, 0);
  std::string memory(100, '.');
  const auto recv_own = [&] {
    return Op{.kind = OpKind::Recv,
              .handle = connection,
              .length = memory.size() - 1,
              .data = reinterpret_cast<std::byte*>(memory.data())};
  };
  peer->send("ping");
  {
    CountedOp op(recv_own());
    EXPECT_EQ(run(op), 4);
    EXPECT_EQ(memory.substr(0, 5), "ping.");
    EXPECT_TRUE(op.buffer.is_empty());
  }
  {
    CountedOp op(recv_own());
    kernel().submit(op);
    kernel().cancel(op);
    EXPECT_TRUE(pump_until([&] { return op.completions == 1; }));
    EXPECT_EQ(op.result, -ECANCELED);
  }
  peer->send(std::string(150, 'x'));
  std::size_t got = 0;
  while (got < 150) {
    CountedOp op(recv_own());
    const std::int64_t size = run(op);
    ASSERT_GT(size, 0);
    ASSERT_LE(size, 99);
    got += static_cast<std::size_t>(size);
  }
  EXPECT_EQ(memory.back(), '.');
  peer->end_sending();
  CountedOp op(recv_own());
  EXPECT_EQ(run(op), 0);
  EXPECT_EQ(close(connection), 0);
  EXPECT_EQ(close(listener), 0);
}

TEST_P(KernelContract, each_accept_takes_one_connection_whether_it_came_before_or_after) {
  const int listener = listen();
  std::vector<std::unique_ptr<ContractPeer>> peers;
  for (int i = 0; i < 3; ++i) peers.push_back(world().connect(listener));
  std::vector<std::unique_ptr<CountedOp>> accepts;
  for (int i = 0; i < 5; ++i) {
    accepts.push_back(std::make_unique<CountedOp>(Op{.kind = OpKind::Accept, .handle = listener}));
    kernel().submit(*accepts.back());
  }
  const auto done = [&] {
    int count = 0;
    for (auto& op : accepts) count += op->completions;
    return count;
  };
  EXPECT_TRUE(pump_until([&] { return done() == 3; }));
  for (int i = 0; i < 2; ++i) peers.push_back(world().connect(listener));
  EXPECT_TRUE(pump_until([&] { return done() == 5; }));
  for (std::size_t i = 0; i < 5; ++i) {  // in order: accept i has peer i
    EXPECT_GE(accepts[i]->result, 0);
    peers[i]->send(std::to_string(i));
    CountedOp op(recv(static_cast<int>(accepts[i]->result), BufferRing::Head));
    EXPECT_EQ(run(op), 1);
    EXPECT_EQ(text_of(op.buffer), std::to_string(i));
  }
  for (auto& op : accepts) close(static_cast<int>(op->result));
  close(listener);
}

TEST_P(KernelContract, a_recv_waits_for_bytes_and_takes_what_is_there) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  CountedOp op(recv(connection, BufferRing::Body));
  kernel().submit(op);
  for (int i = 0; i < 5; ++i) world().pump();
  EXPECT_FALSE(op.is_done());
  peer->send("abc");
  EXPECT_TRUE(pump_until([&] { return op.is_done(); }));
  EXPECT_EQ(op.result, 3);
  EXPECT_EQ(text_of(op.buffer), "abc");
  op.buffer = Buffer();
  close(connection);
  close(listener);
}

TEST_P(KernelContract, a_long_stream_arrives_in_order_through_few_buffers) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  std::string sent, got;
  for (int piece = 0; piece < 60; ++piece) {
    std::string bytes(1000, static_cast<char>('a' + piece % 26));
    bytes += std::to_string(piece);
    peer->send(bytes);
    sent += bytes;
    const BufferRing ring = piece % 2 == 0 ? BufferRing::Head : BufferRing::Body;
    CountedOp op(recv(connection, ring));
    ASSERT_GT(run(op), 0);
    ASSERT_LE(op.buffer.bytes().size(),
              ring == BufferRing::Head ? KernelWorld::kHeadBufferBytes : KernelWorld::kBodyBufferBytes);
    ASSERT_EQ(op.buffer.bytes().size(), static_cast<std::size_t>(op.result));
    got += text_of(op.buffer);
  }
  peer->end_sending();
  for (;;) {
    CountedOp op(recv(connection, BufferRing::Head));
    const std::int64_t result = run(op);
    ASSERT_GE(result, 0);
    if (result == 0) break;
    got += text_of(op.buffer);
  }
  EXPECT_EQ(got, sent);
  close(connection);
  close(listener);
}

TEST_P(KernelContract, an_empty_ring_is_enobufs_until_a_buffer_comes_back) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  std::vector<Buffer> held;
  for (std::size_t i = 0; i < KernelWorld::kBodyBuffers; ++i) {
    peer->send("x");
    CountedOp op(recv(connection, BufferRing::Body));
    ASSERT_EQ(run(op), 1);
    held.push_back(std::move(op.buffer));
  }
  peer->send("y");
  EXPECT_EQ(run(recv(connection, BufferRing::Body)), -ENOBUFS);
  EXPECT_EQ(run(recv(connection, BufferRing::Body)), -ENOBUFS);
  const int returned = world().buffers_returned(BufferRing::Body);
  held.pop_back();
  EXPECT_EQ(world().buffers_returned(BufferRing::Body), returned + 1);
  {
    CountedOp op(recv(connection, BufferRing::Body));
    EXPECT_EQ(run(op), 1);
    EXPECT_EQ(text_of(op.buffer), "y");  // nothing was lost
    EXPECT_EQ(text_of(held[0]), "x");    // and what is held was not overwritten
  }
  peer->send("z");  // the other ring is its own
  CountedOp op(recv(connection, BufferRing::Head));
  EXPECT_EQ(run(op), 1);
  op.buffer = Buffer();
  close(connection);
  close(listener);
}

TEST_P(KernelContract, a_recv_with_nothing_to_receive_waits_even_when_the_ring_is_empty) {
  // Whoever gets -ENOBUFS therefore takes a buffer when its turn comes. Would an idle connection get it, a
  // turn could go to one that has nothing to receive, while another that has waits for ever.
  const int listener = listen();
  std::unique_ptr<ContractPeer> busy_peer, idle_peer;
  const int busy = accept(listener, busy_peer);
  const int idle = accept(listener, idle_peer);
  std::vector<Buffer> held;
  for (std::size_t i = 0; i < KernelWorld::kBodyBuffers; ++i) {
    busy_peer->send("x");
    CountedOp op(recv(busy, BufferRing::Body));
    ASSERT_EQ(run(op), 1);
    held.push_back(std::move(op.buffer));
  }
  CountedOp waiting(recv(idle, BufferRing::Body));
  kernel().submit(waiting);
  for (int i = 0; i < 5; ++i) world().pump();
  EXPECT_FALSE(waiting.is_done());
  idle_peer->send("now");
  EXPECT_TRUE(pump_until([&] { return waiting.is_done(); }));
  EXPECT_EQ(waiting.result, -ENOBUFS);
  held.clear();
  CountedOp again(recv(idle, BufferRing::Body));
  EXPECT_EQ(run(again), 3);
  again.buffer = Buffer();
  close(busy);
  close(idle);
  close(listener);
}

TEST_P(KernelContract, a_buffer_has_readable_slack_behind_it) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  peer->send(std::string(KernelWorld::kHeadBufferBytes, 'q'));
  std::size_t got = 0;
  while (got < KernelWorld::kHeadBufferBytes) {
    CountedOp op(recv(connection, BufferRing::Head));
    ASSERT_GT(run(op), 0);
    got += op.buffer.bytes().size();
    unsigned sum = 0;
    for (std::size_t i = 0; i < Buffer::kSlack; ++i) {
      sum += std::to_integer<unsigned>(op.buffer.bytes().data()[op.buffer.bytes().size() + i]);
    }
    EXPECT_LE(sum, 255u * Buffer::kSlack);
  }
  close(connection);
  close(listener);
}

TEST_P(KernelContract, the_peers_orderly_end_is_zero_bytes_and_takes_no_buffer) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  peer->end_sending();
  for (std::size_t i = 0; i < 3 * KernelWorld::kHeadBuffers; ++i) {
    CountedOp op(recv(connection, BufferRing::Head));
    EXPECT_EQ(run(op), 0);
    EXPECT_TRUE(op.buffer.is_empty());
  }
  EXPECT_EQ(send(connection, "still open"), 10);  // our side is not ended
  std::string got;
  EXPECT_TRUE(pump_until([&] { return (got += peer->receive()).size() >= 10; }));
  close(connection);
  close(listener);
}

TEST_P(KernelContract, a_reset_is_an_error) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  CountedOp op(recv(connection, BufferRing::Head));
  kernel().submit(op);
  world().pump();
  peer->reset();
  EXPECT_TRUE(pump_until([&] { return op.is_done(); }));
  EXPECT_EQ(op.result, -ECONNRESET);
  const std::int64_t sent = send(connection, "into the void");
  EXPECT_TRUE(sent == -EPIPE || sent == -ECONNRESET) << sent;
  close(connection);
  close(listener);
}

TEST_P(KernelContract, a_cancelled_recv_completes_once_and_leaves_the_bytes) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  CountedOp op(recv(connection, BufferRing::Head));
  kernel().submit(op);
  world().pump();
  EXPECT_FALSE(op.is_done());
  kernel().cancel(op);
  EXPECT_FALSE(op.is_done());  // only from poll
  EXPECT_TRUE(pump_until([&] { return op.is_done(); }));
  EXPECT_EQ(op.result, -ECANCELED);
  for (int i = 0; i < 3; ++i) world().pump();
  EXPECT_EQ(op.completions, 1);
  peer->send("later");
  CountedOp again(recv(connection, BufferRing::Head));
  EXPECT_EQ(run(again), 5);
  again.buffer = Buffer();
  close(connection);
  close(listener);
}

TEST_P(KernelContract, a_recv_cancelled_before_any_poll_completes_once) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  CountedOp op(recv(connection, BufferRing::Head));
  kernel().submit(op);
  kernel().cancel(op);
  kernel().cancel(op);  // asking twice changes nothing
  EXPECT_EQ(op.completions, 0);
  EXPECT_TRUE(pump_until([&] { return op.is_done(); }));
  EXPECT_EQ(op.result, -ECANCELED);
  for (int i = 0; i < 3; ++i) world().pump();
  EXPECT_EQ(op.completions, 1);
  close(connection);
  close(listener);
}

TEST_P(KernelContract, cancelling_what_has_completed_does_nothing) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> peer;
  const int connection = accept(listener, peer);
  peer->send("x");
  CountedOp op(recv(connection, BufferRing::Head));
  EXPECT_EQ(run(op), 1);
  kernel().cancel(op);
  CountedOp timer(Op{.kind = OpKind::Timer, .deadline = now()});
  EXPECT_EQ(run(timer), 0);
  kernel().cancel(timer);
  for (int i = 0; i < 3; ++i) world().pump();
  EXPECT_EQ(op.completions, 1);
  EXPECT_EQ(timer.completions, 1);
  op.buffer = Buffer();
  close(connection);
  close(listener);
}

TEST_P(KernelContract, a_cancelled_accept_completes_once_and_the_next_one_works) {
  const int listener = listen();
  CountedOp first(Op{.kind = OpKind::Accept, .handle = listener});
  CountedOp second(Op{.kind = OpKind::Accept, .handle = listener});
  kernel().submit(first);
  kernel().submit(second);
  world().pump();
  kernel().cancel(first);
  EXPECT_FALSE(first.is_done());
  EXPECT_TRUE(pump_until([&] { return first.is_done(); }));
  EXPECT_EQ(first.result, -ECANCELED);
  EXPECT_FALSE(second.is_done());
  const std::unique_ptr<ContractPeer> peer = world().connect(listener);
  EXPECT_TRUE(pump_until([&] { return second.is_done(); }));
  EXPECT_GE(second.result, 0);
  close(static_cast<int>(second.result));
  close(listener);
}

TEST_P(KernelContract, closing_a_listener_ends_what_nobody_accepted) {
  const int listener = listen();
  std::unique_ptr<ContractPeer> taken;
  const int connection = accept(listener, taken);
  const std::unique_ptr<ContractPeer> waiting = world().connect(listener);
  for (int i = 0; i < 5; ++i) world().pump();
  EXPECT_EQ(close(listener), 0);
  EXPECT_TRUE(pump_until([&] { return waiting->receive().empty() && waiting->is_ended(); }));
  EXPECT_FALSE(taken->is_ended());
  close(connection);
}

TEST_P(KernelContract, an_address_in_nonsense_is_refused) {
  for (const char* address : {"", "nonsense", "127.0.0.1:", "127.0.0.1:70000", "[::1:80", "1.2.3.4.5:80"}) {
    EXPECT_EQ(run(Op{.kind = OpKind::Listen, .path = address}), -EINVAL) << address;
  }
}

}  // namespace penstock::core
