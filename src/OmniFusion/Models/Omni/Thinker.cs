using OmniFusion.Checkpoints;
using OmniFusion.Generation;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Omni;

/// <summary>
/// The thinker of Qwen2.5-Omni (arXiv 2503.20215): audio and image embeddings take the places of their placeholder tokens in a chat text,
/// and a Qwen2 decoder with 3-axis rotary positions runs over all of it. OmniFusion uses its hidden states; as a recogniser it also writes.
/// Keys: <c>thinker.…</c>.
/// </summary>
public sealed class Thinker : ICausalModel
{
    private readonly OmniConfig _config;
    private readonly Tensor _embedTokens, _lmHead;
    private readonly RotaryTable _rotary;

    /// <summary>Takes the weights under <c>thinker</c>.</summary>
    public Thinker(OmniConfig config, Weights weights)
    {
        _config = config;
        OmniTextConfig text = config.TextConfig;
        AudioTower = new AudioTower(config.AudioConfig, weights.Under("audio_tower"));
        VisionTower = config.VisionConfig is null ? null : new VisionTower(config.VisionConfig, weights.Under("visual"));
        _embedTokens = weights.Get("model.embed_tokens.weight", text.VocabSize, text.HiddenSize);
        Decoder = new DecoderStack(DecoderShape.Of(text, attentionBias: true), weights.Under("model"));
        _lmHead = text.TieWordEmbeddings ? _embedTokens : weights.Get("lm_head.weight", text.VocabSize, text.HiddenSize);
        _rotary = new RotaryTable(text.HeadDim, text.RopeTheta, [.. text.MropeSection]);
    }

    /// <summary>Encodes speech.</summary>
    public AudioTower AudioTower { get; }

    /// <summary>Encodes images; null in a model without eyes.</summary>
    public VisionTower? VisionTower { get; }

    /// <summary>The language model.</summary>
    public DecoderStack Decoder { get; }

    /// <summary>Length of a hidden state.</summary>
    public int HiddenSize => _config.TextConfig.HiddenSize;

    /// <summary>Number of decoder layers; there is one hidden state more.</summary>
    public int Layers => _config.TextConfig.NumHiddenLayers;

    /// <summary>Number of tokens.</summary>
    public int VocabularySize => _config.TextConfig.VocabSize;

    /// <summary>Dropout of the decoder and the audio tower, while training.</summary>
    public void SetDropout(float rate) => (Decoder.Dropout, AudioTower.Dropout) = (rate, rate);

    /// <summary>Lays items out one after the other and gives every token its place and position.</summary>
    /// <exception cref="OmniFusionException">An image is given to a model without a vision tower.</exception>
    public ThinkerBatch Prepare(IReadOnlyList<ThinkerInput> items)
    {
        List<int> ids = [], lengths = [], audioRows = [], imageRows = [], next = [];
        Positions positions = new(axes: 3);
        int audio = 0, image = 0;
        foreach (ThinkerInput item in items)
        {
            int start = ids.Count, position = 0;
            foreach (int id in item.Ids)
            {
                if (id == _config.AudioTokenIndex && item.Mel is not null)
                    for (int i = AudioTower.TokenCount(item.Mel.Length / _config.AudioConfig.NumMelBins); i > 0; i--)
                        Place(id, audio++, -1, position, position, position++);
                else if (id == _config.ImageTokenIndex && item.Patches is not null)
                    position = PlaceImage(item.Grid, position);
                else
                    Place(id, -1, -1, position, position, position++);
            }
            lengths.Add(ids.Count - start);
            next.Add(position);
        }
        return new ThinkerBatch([.. ids], new Segments(lengths.ToArray()), positions, [.. next], [.. audioRows], [.. imageRows],
            [.. items.Select(item => item.Transcribed)]);

        void Place(int id, int audioRow, int imageRow, int t, int h, int w)
        {
            ids.Add(id);
            audioRows.Add(audioRow);
            imageRows.Add(imageRow);
            positions.Add(t, h, w);
        }

        // An image holds its time and spreads over height and width; what follows continues behind the largest of them.
        int PlaceImage(ImageGrid grid, int position)
        {
            int merge = (_config.VisionConfig ?? throw new OmniFusionException("This model has no vision tower, so it cannot take an image.")).SpatialMergeSize;
            int height = grid.Height / merge, width = grid.Width / merge, largest = position - 1;
            for (int t = 0; t < grid.Time; t++)
                for (int y = 0; y < height; y++)
                    for (int x = 0; x < width; x++)
                    {
                        int time = position + t * _config.PositionIdPerSeconds;
                        Place(_config.ImageTokenIndex!.Value, -1, image++, time, position + y, position + x);
                        largest = Math.Max(largest, Math.Max(time, position + Math.Max(y, x)));
                    }
            return largest + 1;
        }
    }

    /// <summary>Audio encodings of the items that have audio, in order; null when none has.</summary>
    public AudioStates? EncodeAudio(Compute c, IReadOnlyList<ThinkerInput> items)
    {
        int bins = _config.AudioConfig.NumMelBins;
        Segments utterances = new([.. items.Where(item => item.Mel is not null).Select(item => item.Mel!.Length / bins)]);
        if (utterances.Rows == 0)
            return null;
        Tensor mel = c.Rent(new Shape(utterances.Rows, bins));
        int at = 0;
        foreach (ThinkerInput item in items.Where(item => item.Mel is not null))
        {
            item.Mel.CopyTo(mel.Span[at..]);
            at += item.Mel!.Length;
        }
        return AudioTower.Forward(c, mel, utterances);
    }

    /// <summary>Image embeddings of the items that have an image, in order; null when none has.</summary>
    public Tensor? EncodeImages(Compute c, IReadOnlyList<ThinkerInput> items)
    {
        ThinkerInput[] seeing = [.. items.Where(item => item.Patches is not null)];
        if (seeing.Length == 0)
            return null;
        VisionTower tower = VisionTower ?? throw new OmniFusionException("This model has no vision tower, so it cannot take an image.");
        Tensor patches = c.Rent(new Shape(seeing.Sum(item => item.Grid.Patches), tower.PatchLength));
        int at = 0;
        foreach (ThinkerInput item in seeing)
        {
            item.Patches.CopyTo(patches.Span[at..]);
            at += item.Patches!.Length;
        }
        return tower.Forward(c, patches, [.. seeing.Select(item => item.Grid)]);
    }

    /// <summary>Token embeddings with audio and image embeddings in their places: hidden state 0, [tokens, D].</summary>
    public Tensor Embed(Compute c, ThinkerBatch batch, Tensor? audio, Tensor? images)
    {
        Tensor x = c.Embedding(batch.Ids, _embedTokens);
        int[] own = [.. Enumerable.Range(0, batch.Ids.Length)];
        if (audio is not null)
            x = c.Interleave(x, own, audio, batch.AudioRows);
        return images is null ? x : c.Interleave(x, own, images, batch.ImageRows);
    }

    /// <summary>The same, of items whose media are encoded here; of all that this takes, only the result stays.</summary>
    public Tensor Embed(Compute c, IReadOnlyList<ThinkerInput> items, ThinkerBatch batch)
    {
        Arena.Mark scope = c.Scope();
        Tensor? audio = EncodeAudio(c, items)?.Embeddings, images = EncodeImages(c, items);
        return c.Keep(scope, Embed(c, batch, audio, images));
    }

    /// <summary>Runs the decoder over embedded items and returns the hidden states with the given numbers, 0 to L.</summary>
    public Tensor[] Forward(Compute c, Tensor embeddings, ThinkerBatch batch, KvCache? cache, params ReadOnlySpan<int> wanted) =>
        Decoder.Forward(c, embeddings, Angles(c, batch.Positions), batch.Segments, cache, wanted);

    /// <summary>Everything in one go: encodes the media, embeds, and returns the wanted hidden states.</summary>
    public Tensor[] Forward(Compute c, IReadOnlyList<ThinkerInput> items, ThinkerBatch batch, KvCache? cache, params ReadOnlySpan<int> wanted) =>
        Forward(c, Embed(c, items, batch), batch, cache, wanted);

    /// <summary>Rotary angles of tokens.</summary>
    public RotaryAngles Angles(Compute c, Positions positions) => _rotary.At(c, positions);

    /// <summary>Embeddings of generated tokens.</summary>
    public Tensor EmbedTokens(Compute c, ReadOnlyMemory<int> ids) => c.Embedding(ids, _embedTokens);

    /// <summary>Scores of the next token: [rows, D] to [rows, vocabulary].</summary>
    public Tensor Logits(Compute c, Tensor last) => c.Linear(last, _lmHead);
}
