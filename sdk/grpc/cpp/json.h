// JSON for programs.
#pragma once

#include <google/protobuf/message.h>

#include <string>

// Proto JSON on one line, with the names that the fields have in the protos.
std::string ToJson(const google::protobuf::Message& message);

// A string of JSON.
std::string ToJson(const std::string& text);

// Prints the message to stdout, as a line, at once.
void PrintJson(const google::protobuf::Message& message);
