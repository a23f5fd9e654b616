// A slider says in words what its position means.
function speak(input) {
  const words = JSON.parse(input.dataset.words);
  const share = (input.value - input.min) / (input.max - input.min);
  const index = Math.min(words.length - 1, Math.floor(share * words.length));
  document.getElementById(input.dataset.output).textContent = words[index];
}

for (const input of document.querySelectorAll("input[type=range][data-words]")) {
  input.addEventListener("input", () => speak(input));
  speak(input);
}
