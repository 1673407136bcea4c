#include "tests/simulate/http_client.hpp"

#include <algorithm>
#include <charconv>

#include "tests/simulate/server_process.hpp"

namespace penstock::simulate {
namespace {

// Takes one answer off the front of `text`; nothing: it is not whole. 100s are skipped.
std::optional<Answer> take_answer(std::string& text, bool is_ended) {
  for (;;) {
    const std::size_t head_end = text.find("\r\n\r\n");
    if (head_end == std::string::npos) return std::nullopt;
    const std::string_view head = std::string_view(text).substr(0, head_end + 2);
    Answer answer{.got = Answer::Got::Whole, .status = 0, .body = {}};
    if (head.size() > 12) (void)std::from_chars(head.data() + 9, head.data() + 12, answer.status);
    const std::size_t body_at = head_end + 4;
    if (answer.status == 100) {
      text.erase(0, body_at);
      continue;
    }
    if (const std::size_t at = head.find("Content-Length: "); at != std::string_view::npos) {
      std::size_t length = 0;
      (void)std::from_chars(head.data() + at + 16, head.data() + head.size(), length);
      if (text.size() < body_at + length) return std::nullopt;
      answer.body = text.substr(body_at, length);
      return answer;
    }
    if (head.find("Transfer-Encoding: chunked") == std::string_view::npos) {
      if (!is_ended) return std::nullopt;
      answer.body = text.substr(body_at);
      return answer;
    }
    for (std::size_t at = body_at;;) {
      const std::size_t line_end = text.find("\r\n", at);
      if (line_end == std::string::npos) return std::nullopt;
      std::size_t length = 0;
      (void)std::from_chars(text.data() + at, text.data() + line_end, length, 16);
      if (text.size() < line_end + 2 + length + 2) return std::nullopt;
      if (length == 0) return answer;
      answer.body += text.substr(line_end + 2, length);
      at = line_end + 2 + length + 2;
    }
  }
}

// A client that is destroyed in the middle has died: its connection is reset.
struct Connection {
  sim::SimClient client;
  bool done = false;
  ~Connection() {
    if (client.is_connected() && !done && !client.is_closed()) client.reset();
  }
};

}  // namespace

std::string field_of(std::string_view json, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  std::size_t at = json.find(key);
  if (at == std::string_view::npos) return "";
  at += key.size();
  while (at < json.size() && json[at] == ' ') ++at;
  if (at == json.size()) return "";
  if (json[at] != '"') return std::string(json.substr(at, json.find_first_of(",\n}", at) - at));
  return std::string(json.substr(at + 1, json.find('"', at + 1) - at - 1));
}

Manner draw_manner(sim::SimRandom& dice, std::size_t bytes, std::uint32_t unkind_percent) {
  Manner manner;
  if (dice.percent(60)) {
    manner.piece_max = dice.between(1, std::max<std::size_t>(bytes / 2, 1));
    manner.pause_max = std::chrono::microseconds(dice.below(dice.percent(5) ? 3'000'000 : 2000) + 1);
    // Not thousands of pieces.
    manner.piece_max = std::max(manner.piece_max, bytes / 12 + 1);
  }
  if (dice.percent(10)) manner.window = dice.between(1, 200);
  if (!dice.percent(unkind_percent)) return manner;
  switch (dice.below(4)) {
    case 0:
      manner.reset_at = dice.below(bytes + 1);
      break;
    case 1:
      manner.end_at = dice.below(bytes + 1);
      break;
    case 2:
      manner.vanishes_at = dice.below(bytes + 1);
      break;
    default:
      manner.leaves = true;
  }
  return manner;
}

Script<Answer> ask(sim::SimWorld* world, Scripts* scripts, sim::SimRandom* dice, std::string request,
                   Manner manner) {
  Connection connection{.client = world->connect(ServerProcess::kAddress)};
  sim::SimClient& client = connection.client;
  if (!client.is_connected()) co_return Answer{};
  if (manner.window != SIZE_MAX) client.set_window(manner.window);
  const std::size_t until =
      std::min({request.size(), manner.reset_at.value_or(SIZE_MAX), manner.end_at.value_or(SIZE_MAX),
                manner.vanishes_at.value_or(SIZE_MAX)});
  for (std::size_t sent = 0; sent < until && !client.is_ended();) {
    const std::size_t piece = std::min(until - sent, manner.piece_max);
    client.send(std::string_view(request).substr(sent, piece));
    sent += piece;
    if (sent < until) {
      const auto pause = core::Duration(
          static_cast<std::int64_t>(dice->below(static_cast<std::uint64_t>(manner.pause_max.count()) + 1)));
      (void)co_await scripts->until([client] { return client.is_ended(); }, pause);
    }
  }
  if ((manner.reset_at || manner.leaves) && !client.is_ended()) {
    client.reset();
    co_return Answer{.got = Answer::Got::Cut, .status = 0, .body = {}};
  }
  if (manner.vanishes_at) {
    connection.done = true;  // it stays as it is
    co_return Answer{.got = Answer::Got::Cut, .status = 0, .body = {}};
  }
  if (manner.end_at && !client.is_ended()) client.shutdown_write();
  std::string text;
  const core::Instant deadline = world->now().monotonic + manner.patience;
  for (;;) {
    const bool is_ended = client.is_ended();
    text += client.take_received();
    if (auto answer = take_answer(text, is_ended)) {
      connection.done = true;
      if (!client.is_closed()) client.shutdown_write();
      co_return std::move(*answer);
    }
    if (is_ended) co_return Answer{.got = Answer::Got::Cut, .status = 0, .body = {}};
    const bool more =
        co_await scripts->until([client] { return client.is_ended() || !client.received().empty(); },
                                deadline - world->now().monotonic);
    if (!more) co_return Answer{.got = Answer::Got::Late, .status = 0, .body = {}};
  }
}

}  // namespace penstock::simulate
