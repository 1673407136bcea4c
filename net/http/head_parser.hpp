// HeadParser: a request's head out of bytes that come in any pieces. llhttp is behind this header and nowhere
// else.
//
// llhttp sees the head only, never a byte of a body: body framing is ChunkedDecoder's and BodyReader's. It is
// loose in places (bare line feeds, blanks in names, old versions), so a line discipline of our own runs over
// the same bytes: it refuses what two readers could understand differently, and it knows exactly where the
// head ends.
//
// Journey:  Connection -> [HeadParser] -> Request.
// Shard:    any; one per connection, used for one head after the other.
// Promise:  the same verdict and the same Request however the bytes were split; no byte behind the head is
//           consumed; memory stays within HeadLimits.
// Failure:  Bad, with the status and a text for the client: 400, 414 (target), 431 (head or header count),
//           505.
#pragma once

#include <llhttp.h>

#include "core/base/bytes.hpp"
#include "net/http/message.hpp"
#include "net/http/options.hpp"

namespace penstock::net {

struct HeadError {
  int status = 400;
  const char* text = "";  // a literal
};

class HeadParser {
 public:
  enum class State : std::uint8_t { NeedMore, Done, Bad };

  explicit HeadParser(const HeadLimits& limits) : limits_(limits) { reset(); }
  HeadParser(const HeadParser&) = delete;  // llhttp keeps its address
  HeadParser& operator=(const HeadParser&) = delete;

  // `consumed`: how many of the bytes belong to this head (all of them, unless Done or Bad).
  State feed(core::Bytes bytes, std::size_t& consumed);
  // After Done. Leaves the parser ready for the next head.
  Request take();
  const HeadError& error() const { return error_; }
  // Whether a byte of a head has come (empty lines in front of one do not count).
  bool has_begun() const { return line_state_ != LineState::Start && line_state_ != LineState::StartCr; }
  void reset();

 private:
  enum class LineState : std::uint8_t { Start, StartCr, InLine, Cr, LineStart, EndCr };
  State refuse(int status, const char* text);
  // Runs the line discipline; stops behind the head's end. Returns false for a refused byte.
  bool scan(core::Bytes bytes, std::size_t& length, bool& ended);
  bool run_llhttp(core::Bytes bytes);
  State finish();
  bool split_target();
  bool judge_body_length();
  bool add_text(const char* at, std::size_t length);

  // llhttp's callbacks.
  static int on_url(llhttp_t* parser, const char* at, std::size_t length);
  static int on_field(llhttp_t* parser, const char* at, std::size_t length);
  static int on_value(llhttp_t* parser, const char* at, std::size_t length);
  static int on_value_complete(llhttp_t* parser);
  static int on_headers_complete(llhttp_t* parser);
  static const llhttp_settings_t& settings();
  void open_field();

  const HeadLimits& limits_;
  llhttp_t llhttp_{};
  Request request_;
  HeadError error_;
  std::size_t head_bytes_ = 0;
  LineState line_state_ = LineState::Start;
  bool in_request_line_ = false;
  bool last_was_blank_ = false;
  bool field_open_ = false;  // between a header's first name byte and the end of its value
  bool headers_complete_ = false;
};

}  // namespace penstock::net
