using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Simultaneous;

/// <summary>The thinker's chat while its audio, the last thing in the user's turn, is still arriving.</summary>
internal sealed class IncrementalThinker
{
    private readonly Thinker _thinker;
    private readonly IncrementalAudio _audio;
    private SpeechPrompt? _prompt;
    private ThinkerBatch? _head;
    private bool _begins;

    internal IncrementalThinker(Thinker thinker, IncrementalAudio audio, KvCache cache)
    {
        (_thinker, _audio) = (thinker, audio);
        Run = new CausalRun(thinker, cache, axes: 3);
    }

    /// <summary>Rows computed so far: the head, the audio, and what the owner put behind them.</summary>
    internal CausalRun Run { get; }

    /// <summary>Rows before the audio.</summary>
    internal int HeadRows => _head!.Ids.Length;

    /// <summary>The images, which stand before the audio, and the audio.</summary>
    internal IReadOnlyList<MediaStretch> Media => [.. _head!.Media, new MediaStretch(HeadRows, _audio.Tokens, IsAudio: true)];

    /// <summary>Rows up to the end of the audio.</summary>
    internal int Rows => HeadRows + _audio.Tokens;

    /// <summary>The ids that these rows stand for.</summary>
    internal int[] Ids => [.. _head!.Ids, .. Enumerable.Repeat(_prompt!.AudioToken, _audio.Tokens)];

    /// <summary>Another text, or another image, stands before the audio.</summary>
    internal void Begin(SpeechPrompt prompt)
    {
        (_prompt, _head, _begins) = (prompt, _thinker.Prepare([prompt.Head]), true);
        Run.Begin(_head.Positions, _head.NextPositions[0]);
    }

    /// <summary>Embeddings of the rows that are new or have changed, to the end of the audio; null when all are as they were.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="first">The first of these rows.</param>
    internal Tensor? Changed(Compute c, out int first)
    {
        int unchanged = _begins ? 0 : _audio.Unchanged;
        first = _begins ? 0 : HeadRows + unchanged;
        if (first == Rows)
            return null;
        Tensor audio = _audio.TokensFrom(c, unchanged);
        if (!_begins)
            return audio;
        Tensor? images = _thinker.EncodeImages(c, [_prompt!.Head]);
        return RowBuffer.Stack(c, _thinker.Embed(c, _head!, null, images), audio);
    }

    /// <summary>The owner has run the changed rows.</summary>
    internal void Accept()
    {
        _begins = false;
        _audio.Accept();
    }
}
