// The Markdown editor over a plain textarea, and the view of a difference. Without this file the textarea
// still works; a form sends the textarea's value either way.
import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { markdown } from "@codemirror/lang-markdown";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { syntaxHighlighting } from "@codemirror/language";
import { classHighlighter } from "@lezer/highlight";
import { basicSetup } from "codemirror";

// The page's Content-Security-Policy lets styles in by nonce alone, and CodeMirror writes a style element.
function pageNonce() {
  return document.querySelector("script[nonce]")?.nonce ?? "";
}

function extensions(nonce, more = []) {
  // By classes, so that the page's own style decides colours, in the dark too.
  return [basicSetup, syntaxHighlighting(classHighlighter), markdown(), EditorView.lineWrapping, EditorView.cspNonce.of(nonce), ...more];
}

// Shows an editor in place of `textarea` and keeps the textarea's value equal to it. Tab is left to the
// browser, so that a keyboard can leave the editor. Returns the EditorView.
function fromTextArea(textarea, { nonce = pageNonce(), label = "" } = {}) {
  const named = label || textarea.labels?.[0]?.textContent?.trim() || textarea.getAttribute("aria-label") || "";
  const view = new EditorView({
    doc: textarea.value,
    extensions: extensions(nonce, [
      EditorView.contentAttributes.of({ "aria-label": named, spellcheck: "true", tabindex: "0" }),
      EditorState.readOnly.of(textarea.readOnly),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        textarea.value = update.state.doc.toString();
        textarea.dispatchEvent(new Event("input", { bubbles: true }));
      }),
    ]),
  });
  textarea.after(view.dom);
  textarea.hidden = true;
  return view;
}

// Shows what changed from `before` to `after` inside `parent`, side by side or, on a narrow page, in one column.
function showDifference(parent, before, after, { nonce = pageNonce(), sideBySide = true } = {}) {
  const fixed = [EditorState.readOnly.of(true), EditorView.editable.of(false)];
  if (sideBySide) {
    return new MergeView({
      parent,
      a: { doc: before, extensions: extensions(nonce, fixed) },
      b: { doc: after, extensions: extensions(nonce, fixed) },
      collapseUnchanged: {},
    });
  }
  const unified = unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: {} });
  return new EditorView({ parent, doc: after, extensions: extensions(nonce, [...fixed, unified]) });
}

window.amendsEditor = { fromTextArea, showDifference };
