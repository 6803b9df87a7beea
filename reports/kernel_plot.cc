#include "reports/kernel_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "base/format.h"
#include "reports/kernel_record.h"
#include "reports/xml_syntax.h"

namespace auxbench {
namespace {

using nlohmann::json;

constexpr double kLabels = 190, kPanel = 330, kGap = 60, kRight = 20;  // widths
constexpr double kBar = 11, kStep = 14, kGroupGap = 8, kTitle = 52;    // heights

struct Bar {
  std::string bits;
  const json* row = nullptr;
};
struct Group {
  std::string title;
  std::vector<Bar> bars{};
};
struct Chart {
  std::string title;
  std::vector<Group> groups{};
};

// Colours that stay apart for colour-blind eyes (Okabe, Ito), one for each pair of bits in order of appearance.
constexpr const char* kColours[] = {"#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#999999"};

std::string text_at(double x, double y, const std::string& style, const std::string& text) {
  return "<text x=\"" + number_text(x) + "\" y=\"" + number_text(y) + "\"" + style + ">" + xml_escaped(text) +
         "</text>\n";
}

std::string line_at(double x1, double y1, double x2, double y2, const std::string& colour) {
  return "<line x1=\"" + number_text(x1) + "\" y1=\"" + number_text(y1) + "\" x2=\"" + number_text(x2) + "\" y2=\"" +
         number_text(y2) + "\" stroke=\"" + colour + "\"/>\n";
}

std::string box_at(double x, double y, double width, double height, const std::string& colour) {
  return "<rect x=\"" + number_text(x) + "\" y=\"" + number_text(y) + "\" width=\"" + number_text(width) +
         "\" height=\"" + number_text(height) + "\" fill=\"" + colour + "\"/>\n";
}

const json* over_of(const Bar& bar, const char* arithmetic) {
  const auto& over = bar.row->at("over");
  return over.contains(arithmetic) ? &over.at(arithmetic) : nullptr;
}

// The widest of 1, 2 and 5 times a power of ten that four or more of fit in.
double tick_for(double most) {
  const double power = std::pow(10, std::floor(std::log10(most)));
  for (const double factor : {2.0, 1.0, 0.5})
    if (most / (power * factor) >= 4) return power * factor;
  return power * 0.2;
}

class Drawing {
 public:
  explicit Drawing(const KernelRecord& record) : record_(record) { collect(); }

  std::string render() {
    std::string body;
    double y = 24;
    body += text_at(10, y, " font-size=\"16\" font-weight=\"bold\"", record_.json().at("title"));
    y += 20;
    body += text_at(10, y, "",
                    record_.json().at("machine").at("cpu").get<std::string>() +
                        "; how many times faster than the fastest library, median and quartiles; networks: than their "
                        "convolutions alone");
    y += 12;
    body += legend(y);
    y += 24;
    for (const auto& chart : charts_) y = draw(chart, y, body);
    body += text_at(10, y + 16, " fill=\"#555555\"", record_.json().at("command"));
    const double width = kLabels + 2 * kPanel + kGap + kRight;
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number_text(width) + "\" height=\"" +
           number_text(y + 28) + "\" font-family=\"sans-serif\" font-size=\"11\">\n" +
           box_at(0, 0, width, y + 28, "#ffffff") + body + "</svg>\n";
  }

 private:
  void collect() {
    for (const auto& table : record_.json().at("tables")) {
      if (!table.at("plot").get<bool>()) continue;
      Chart chart = {.title = table.at("title")};
      for (const auto& name : table.at("rows")) {
        const auto* row = record_.row(name);
        if (row == nullptr || !is_completed(*row) || row->contains("asked_for")) continue;
        const auto title = race_title(record_.race_of(*row));
        if (chart.groups.empty() || chart.groups.back().title != title) chart.groups.push_back({.title = title});
        const auto bits = bits_title(*row);
        chart.groups.back().bars.push_back({.bits = bits, .row = row});
        if (std::find(bits_.begin(), bits_.end(), bits) == bits_.end()) bits_.push_back(bits);
      }
      if (!chart.groups.empty()) charts_.push_back(std::move(chart));
    }
  }

  [[nodiscard]] std::string colour_of(const std::string& bits) const {
    const auto place = static_cast<size_t>(std::find(bits_.begin(), bits_.end(), bits) - bits_.begin());
    return kColours[place % std::size(kColours)];
  }

  [[nodiscard]] std::string legend(double y) const {
    std::string text;
    double x = 10;
    for (const auto& bits : bits_) {
      text += box_at(x, y, kBar, kBar, colour_of(bits)) + text_at(x + kBar + 4, y + 10, "", bits);
      x += 60;
    }
    return text;
  }

  double draw(const Chart& chart, double y, std::string& body) const {
    body += text_at(10, y + 16, " font-size=\"13\" font-weight=\"bold\"", chart.title);
    const double top = y + kTitle;
    double bottom = top;
    for (const auto& group : chart.groups) bottom += kStep * static_cast<double>(group.bars.size()) + kGroupGap;
    panel(chart, "fp32", kLabels, top, bottom, body);
    panel(chart, "int8", kLabels + kPanel + kGap, top, bottom, body);
    double at = top;
    for (const auto& group : chart.groups) {
      const double height = kStep * static_cast<double>(group.bars.size());
      body += text_at(kLabels - 8, at + height / 2 + 4, " text-anchor=\"end\"", group.title);
      at += height + kGroupGap;
    }
    return bottom + 12;
  }

  void panel(const Chart& chart, const char* arithmetic, double left, double top, double bottom,
             std::string& body) const {
    double most = 1.2;
    for (const auto& group : chart.groups)
      for (const auto& bar : group.bars)
        if (const auto* over = over_of(bar, arithmetic)) most = std::max(most, over->at("q75").get<double>());
    const double scale = (kPanel - 34) / most, tick = tick_for(most);
    body += text_at(left, top - 18, " font-weight=\"bold\"", std::string("over ") + arithmetic);
    for (int i = 0; i * tick <= most; ++i) {
      const double x = left + i * tick * scale;
      body += line_at(x, top - 4, x, bottom - kGroupGap, "#dddddd");
      body += text_at(x, top - 7, " text-anchor=\"middle\" fill=\"#777777\" font-size=\"9\"", tick_text(i * tick));
    }
    double y = top;
    for (const auto& group : chart.groups) {
      for (const auto& bar : group.bars) {
        draw_bar(bar, arithmetic, left, y, scale, body);
        y += kStep;
      }
      y += kGroupGap;
    }
    body += line_at(left + scale, top - 4, left + scale, bottom - kGroupGap, "#222222");
  }

  void draw_bar(const Bar& bar, const char* arithmetic, double left, double y, double scale, std::string& body) const {
    const auto* over = over_of(bar, arithmetic);
    if (over == nullptr) {
      body += text_at(left + 4, y + 9, " fill=\"#777777\" font-size=\"9\"", "not measured");
      return;
    }
    const double median = over->at("median"), low = over->at("q25"), high = over->at("q75"), middle = y + kBar / 2;
    body += box_at(left, y, median * scale, kBar, colour_of(bar.bits));
    body += line_at(left + low * scale, middle, left + high * scale, middle, "#222222");
    body += text_at(left + std::max(median, high) * scale + 3, y + 9, " font-size=\"9\"", three_digits(median));
  }

  // A tick's number: without the zeros behind its point.
  static std::string tick_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
  }

  const KernelRecord& record_;
  std::vector<Chart> charts_;
  std::vector<std::string> bits_;
};

}  // namespace

std::string render_kernel_plot(const json& record) {
  return read_kernel_record(record, [](const KernelRecord& read) { return Drawing(read).render(); });
}

}  // namespace auxbench
