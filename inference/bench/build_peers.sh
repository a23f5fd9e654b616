#!/bin/sh
# Builds llama.cpp twice for `python -m inference bench`, each about ten minutes on two cores:
# for this processor, and without AVX-512, so that AVX2 can be measured beside AVX2 anywhere.
set -eu
cache="${XDG_CACHE_HOME:-$HOME/.cache}/furrow-inference"
version="${LLAMA_CPP_PYTHON:-0.3.36}"

build() { # name, cmake options
    target="$cache/llama-cpp-$1"
    [ -d "$target/llama_cpp" ] && return
    rm -rf "$target.partial"
    CMAKE_ARGS="$2 -DLLAVA_BUILD=OFF -DLLAMA_CURL=OFF" python -m pip install --target "$target.partial" --no-deps \
        --no-cache-dir --no-binary llama-cpp-python "llama-cpp-python==$version" gguf diskcache
    mv "$target.partial" "$target"
}

mkdir -p "$cache"
build avx2 "-DGGML_NATIVE=OFF -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON -DGGML_AVX_VNNI=OFF -DGGML_AVX512=OFF"
build native "-DGGML_NATIVE=ON"
