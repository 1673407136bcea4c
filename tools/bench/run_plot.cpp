#include "tools/bench/run_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace penstock::tools {
namespace {

constexpr double kWidth = 900;
constexpr double kPanel = 200;  // height of one
constexpr double kLeft = 80;
constexpr double kRight = 20;

struct Point {
  double x = 0;
  double y = 0;
};
struct Line {
  const char* name;
  const char* colour;
  std::vector<Point> points;
};

// 1, 2 or 5 times a power of ten, so that about `steps` of them make `most`.
double round_step(double most, int steps) {
  const double rough = std::max(most, 1e-9) / steps;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

std::string panel(double top, double seconds, const std::string& title, const std::vector<Line>& lines) {
  double most = 0;
  for (const Line& line : lines) {
    for (const Point& point : line.points) most = std::max(most, point.y);
  }
  const double step = round_step(most, 4);
  const double height = std::max(step, std::ceil(most / step) * step);
  const double width = kWidth - kLeft - kRight;
  const auto x_of = [&](double x) { return kLeft + x / seconds * width; };
  const auto y_of = [&](double y) { return top + kPanel - y / height * kPanel; };
  std::string text = fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", kLeft, top - 10, title);
  for (double y = 0; y <= height * 1.001; y += step) {
    text += fmt::format(
        "<path class=\"g\" d=\"M{} {:.1f}H{}\"/><text class=\"r\" x=\"{}\" y=\"{:.1f}\">{:g}</text>\n", kLeft,
        y_of(y), kWidth - kRight, kLeft - 6, y_of(y) + 4, y);
  }
  const double second = round_step(seconds, 10);
  for (double x = 0; x <= seconds * 1.001; x += second) {
    text +=
        fmt::format("<text class=\"c\" x=\"{:.1f}\" y=\"{}\">{:g} s</text>\n", x_of(x), top + kPanel + 18, x);
  }
  double legend = kWidth - kRight;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    std::string path;
    for (const Point& point : line->points) {
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x_of(point.x), y_of(point.y));
    }
    text += fmt::format("<path class=\"l\" stroke=\"{}\" d=\"{}\"/>\n", line->colour, path);
    text += fmt::format("<text class=\"r\" fill=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", line->colour, legend,
                        top - 10, line->name);
    legend -= 90;
  }
  return text;
}

}  // namespace

std::string plot_svg(const RunWanted& wanted, const RunResult& result) {
  Line sent{.name = "sent", .colour = "#999999", .points = {}};
  Line visible{.name = "visible", .colour = "#1f6fb4", .points = {}};
  Line p50{.name = "p50", .colour = "#2a9d3c", .points = {}};
  Line p99{.name = "p99", .colour = "#d9822b", .points = {}};
  Line most{.name = "max", .colour = "#c2342c", .points = {}};
  double seconds = 0.001;
  for (const RunSample& sample : result.samples) {
    if (sample.seconds <= 0) continue;
    const double middle = sample.at - sample.seconds / 2;
    seconds = std::max(seconds, sample.at);
    sent.points.push_back({middle, static_cast<double>(sample.sent_bytes) / 1e6 / sample.seconds});
    visible.points.push_back({middle, static_cast<double>(sample.visible_bytes) / 1e6 / sample.seconds});
    if (!sample.has_freshness) continue;
    p50.points.push_back({middle, sample.fresh_p50_ms});
    p99.points.push_back({middle, sample.fresh_p99_ms});
    most.points.push_back({middle, sample.fresh_max_ms});
  }
  const double height = 2 * kPanel + 150;
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
             "font-family=\"sans-serif\" font-size=\"12\">\n"
             "<style>.g{{stroke:#dddddd}}.l{{fill:none;stroke-width:1.5}}.r{{text-anchor:end}}.c{{text-"
             "anchor:middle}}</style>\n"
             "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
             "<text x=\"{2}\" y=\"20\" font-size=\"14\">{3} {4}{5}, {6} streams, {7}: {8:.1f} MB/s, "
             "freshness p99 {9:.1f} ms "
             "({10})</text>\n",
             kWidth, height, kLeft, shape_name(wanted.shape),
             wanted.format == RowFormat::Json ? "json" : "csv", wanted.gzip ? " gzip" : "", wanted.streams,
             mode_name(wanted.mode), result.megabytes() / result.seconds,
             static_cast<double>(result.freshness.percentile(99)) / kMillisecond, result.date) +
         panel(60, seconds, "MB/s of rows", {sent, visible}) +
         panel(60 + kPanel + 60, seconds, "freshness of rows that became visible, ms", {p50, p99, most}) +
         "</svg>\n";
}

}  // namespace penstock::tools
