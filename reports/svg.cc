#include "reports/svg.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "base/format.h"
#include "reports/xml_syntax.h"

namespace auxbench::svg {
namespace {

struct Colour {
  const char *light, *dark;
};

constexpr std::array<Colour, 8> kColours = {{{"#1f2328", "#e6edf3"},
                                             {"#0072b2", "#56b4e9"},
                                             {"#d55e00", "#ff8f3f"},
                                             {"#009e73", "#2fd0a0"},
                                             {"#cc79a7", "#e3a5c7"},
                                             {"#b07d00", "#e6b422"},
                                             {"#56b4e9", "#9fd6f5"},
                                             {"#6e7781", "#9198a1"}}};

std::string colours(const char* Colour::*scheme) {
  std::string text;
  for (size_t i = 0; i < kColours.size(); ++i)
    text += "." + colour_class(i) + " { stroke: " + kColours[i].*scheme + "; fill: " + kColours[i].*scheme + " }\n";
  return text;
}

}  // namespace

std::string at(double value) { return number_text(value, 1); }

std::string text_at(double x, double y, const std::string& attributes, const std::string& text) {
  return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" " + attributes + ">" + xml_escaped(text) + "</text>\n";
}

std::string line_at(double x1, double y1, double x2, double y2, const std::string& style) {
  return "<line x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" + at(y2) + "\" class=\"" +
         style + "\"/>\n";
}

std::string circle_at(double x, double y, double radius, const std::string& style) {
  return "<circle cx=\"" + at(x) + "\" cy=\"" + at(y) + "\" r=\"" + at(radius) + "\" class=\"" + style + "\"/>\n";
}

namespace {

std::string points_text(const std::vector<std::pair<double, double>>& points) {
  std::string text;
  for (const auto& [x, y] : points) text += (text.empty() ? "" : " ") + at(x) + "," + at(y);
  return text;
}

}  // namespace

std::string shape(const std::vector<std::pair<double, double>>& corners, const std::string& style) {
  return "<polygon points=\"" + points_text(corners) + "\" class=\"" + style + "\"/>\n";
}

std::string path(const std::vector<std::pair<double, double>>& points, const std::string& style) {
  return "<polyline points=\"" + points_text(points) + "\" class=\"" + style + "\"/>\n";
}

std::string picture(double width, double height, const std::string& title, const std::string& style,
                    const std::string& body) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + at(width) + "\" height=\"" + at(height) +
         "\" viewBox=\"0 0 " + at(width) + " " + at(height) +
         "\" font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n<title>" + xml_escaped(title) +
         "</title>\n" + style + "<rect width=\"" + at(width) + "\" height=\"" + at(height) + "\" class=\"paper\"/>\n" +
         body + "</svg>\n";
}

std::vector<double> ticks(double low, double high) {
  const double span = high - low, power = std::pow(10, std::floor(std::log10(span)));
  double step = power;
  for (const double factor : {0.1, 0.2, 0.5, 1.0, 2.0})
    if (span / (power * factor) <= 8) {
      step = power * factor;
      break;
    }
  std::vector<double> found;
  for (auto i = std::ceil(low / step); i * step <= high; ++i) found.push_back(i * step);
  return found;
}

std::string tick_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value == 0 ? "%g" : "%+g", value);
  return text;
}

std::string colour_class(size_t index) { return "c" + std::to_string(index % kColours.size()); }

// What makes a line of a class comes last: the dark scheme's colours would fill it.
std::string colour_style() {
  return "<style>\n.paper { fill: #ffffff }\n.ink { fill: #1f2328 }\n.faint { fill: #59636e }\n"
         ".grid { stroke: #d8dee4 }\n.zero { stroke: #1f2328; stroke-width: 1.5 }\n" +
         colours(&Colour::light) +
         "@media (prefers-color-scheme: dark) {\n.paper { fill: #0d1117 }\n.ink { fill: #e6edf3 }\n"
         ".faint { fill: #9198a1 }\n.grid { stroke: #30363d }\n.zero { stroke: #e6edf3; stroke-width: 1.5 }\n" +
         colours(&Colour::dark) +
         "}\n.line { fill: none; stroke-width: 1.8; stroke-linejoin: round }\n"
         ".dashed { stroke-width: 1.2; stroke-dasharray: 4 3 }\n</style>\n";
}

}  // namespace auxbench::svg
