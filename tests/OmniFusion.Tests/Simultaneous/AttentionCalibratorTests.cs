using OmniFusion.Checkpoints;
using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Tests.Simultaneous;

/// <summary>Calibration with models: what is followed, and what comes out for the shipped one.</summary>
public sealed class AttentionCalibratorTests
{
    [Fact]
    public void The_probe_sees_each_token_of_a_given_text_as_if_it_were_being_written()
    {
        float[] sound = Sounds.LoudAtFirst(2.6);
        AttentionHead[] heads = [new(1, 2), new(2, 1)];
        DecoderShape translator = Sounds.Tiny.Parts.Translator.Decoder.Shape, thinker = Sounds.Tiny.Parts.Thinker.Decoder.Shape;
        PartialDecoderOptions options = new() { NoRepeatNgramSize = 0 };
        using FusedSpeechDecoder fused = FusedSpeechDecoder.Create(Sounds.Tiny, "de", options);
        using SpeechRecognizerDecoder recognizer = SpeechRecognizerDecoder.Create(Sounds.Tiny, options);
        using TextDecoder text = TextDecoder.Create(Sounds.Tiny, "en", "de", options);
        fused.Append(sound);
        recognizer.Append(sound);
        text.SetSource("the weather is fine today, they say", ended: false);
        Same(fused, translator, (decoder, own) => decoder.Heads = own, (decoder, ids, probe) => decoder.Follow(ids, probe));
        Same(recognizer, thinker, (decoder, own) => decoder.Heads = own, (decoder, ids, probe) => decoder.Follow(ids, probe));
        Same(text, translator, (decoder, own) => decoder.Heads = own, (decoder, ids, probe) => decoder.Follow(ids, probe));

        void Same<T>(T decoder, DecoderShape shape, Action<T, AttentionHead[]?> look, Action<T, int[], AttentionProbe> follow)
            where T : IPartialDecoder
        {
            AttentionProbe probe = new(shape, [.. heads.Select(head => (head.Layer, head.Head))], apart: true);
            look(decoder, heads);
            Hypothesis written = decoder.Write([], 6);
            Assert.True(written.Tokens.Length >= 2);
            follow(decoder, written.Tokens, probe);
            for (int token = 0; token < written.Tokens.Length; token++)
                Models.TinyModels.AssertClose(
                    written.Attention![token],
                    [.. probe.RowsOf(0)[token].Zip(probe.RowsOf(1)[token], (a, b) => (a + b) / 2)], 1e-4f, $"token {token}");
            // And the decoder goes on as if nobody had looked.
            Assert.Equal(written.Tokens, decoder.Write([], 6).Tokens);
        }
    }

    [Fact]
    public void Heads_of_the_shipped_model_follow_speech()
    {
        AttentionCalibrator calibrator = new(Sounds.Nano, "de");
        foreach ((string name, string said, string translated) in new[]
        {
            ("ducks", "A woman in a purple raincoat is feeding three ducks beside a wooden bridge.",
                "Eine Frau in einem violetten Regenmantel füttert drei Enten neben einer Holzbrücke."),
            ("garage", "Two boys are building a tall tower out of cardboard boxes in the garage.",
                "Zwei Jungen bauen in der Garage einen hohen Turm aus Pappkartons."),
        })
            calibrator.Add(new CalibrationSentence(Sounds.Speech(name), said, translated));
        foreach (HeadCalibration calibration in (HeadCalibration[])[calibrator.Fused, calibrator.Recognizer, calibrator.Text])
        {
            Assert.Equal(2, calibration.Texts);
            IReadOnlyList<HeadScore> ranked = calibration.Ranked();
            Assert.Equal(ranked.OrderByDescending(score => score.Score), ranked);
            // A few heads align, most do something else.
            Assert.True(ranked[0].Score > 0.1 && ranked[0].Score > 3 * ranked[ranked.Count / 2].Score, $"{ranked[0]}");
        }
        // Speech and its transcript have the same order.
        Assert.True(calibrator.Recognizer.Ranked()[0].Monotonicity > 0.9);
        BundleSimultaneous chosen = calibrator.Choose(3);
        Assert.Equal(calibrator.Fused.Ranked().Take(3).Select(score => (score.Head.Layer, score.Head.Head)), chosen.Heads);
        Assert.Equal((3, 3), (chosen.RecognizerHeads!.Count, chosen.TextHeads!.Count));
    }

    [Fact]
    public void Own_texts_need_no_others()
    {
        AttentionCalibrator calibrator = new(Sounds.Nano, "de", ownTexts: true), given = new(Sounds.Nano, "de");
        CalibrationSentence sentence = new(Sounds.Speech("garage"), "Two boys are building a tower out of boxes.", "");
        calibrator.Add(sentence);
        given.Add(sentence);
        Assert.Equal((1, 1, 1), (calibrator.Fused.Texts, calibrator.Recognizer.Texts, calibrator.Text.Texts));
        Assert.Equal((0, 1, 0), (given.Fused.Texts, given.Recognizer.Texts, given.Text.Texts));
        given.Add(new CalibrationSentence([], "", "Zwei Jungen bauen einen Turm."));
        Assert.Equal(0, given.Fused.Texts);
        Assert.Throws<OmniFusionException>(() => new AttentionCalibrator(Sounds.Nano, "ja"));
    }
}
